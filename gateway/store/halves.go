package store

import (
	"path"
	"sync"
)

// maxHalves is how many photos may be stored by half, as far as it is remembered:
// more than are ever in work.
const maxHalves = 1024

// halves remembers the keys of photos of which one picture has been put, for the
// other, which follows at once. Without it each photo would cost one more request to
// read what was written just before. No key is remembered for reading: what was
// deleted must be gone.
type halves struct {
	mu   sync.Mutex
	keys map[string]*dataKey // by the name of the key
}

func (h *halves) keep(name string, key *dataKey) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.keys) >= maxHalves {
		for one := range h.keys {
			delete(h.keys, one)
			break
		}
	}
	h.keys[name] = key
}

// take returns a key, once, or nil.
func (h *halves) take(name string) *dataKey {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := h.keys[name]
	delete(h.keys, name)
	return key
}

// forget forgets the keys of a folder.
func (h *halves) forget(folder string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name := range h.keys {
		if path.Dir(name) == folder {
			delete(h.keys, name)
		}
	}
}

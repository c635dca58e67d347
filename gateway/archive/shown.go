package archive

import (
	"encoding/hex"
	"math/rand/v2"
)

// mostShown is how many conversations are remembered during an expiry: some 10 MB.
const mostShown = 200_000

// shown remembers which conversations have a card. Where they are too many it
// remembers a part of them, which is chosen anew each time, and says nothing of the
// others.
type shown struct {
	most       int
	ids        map[[16]byte]struct{}
	mask, part uint32 // whose ids end in these bits
}

func newShown(most int) *shown {
	return &shown{most: most, ids: map[[16]byte]struct{}{}, part: rand.Uint32()} //nolint:gosec // no secret
}

func (s *shown) add(id string) {
	key, ok := s.key(id)
	if !ok {
		return
	}
	s.ids[key] = struct{}{}
	for len(s.ids) > s.most {
		s.mask = s.mask<<1 | 1
		for other := range s.ids {
			if !s.mine(other) {
				delete(s.ids, other)
			}
		}
	}
}

// lacks tells whether a conversation is known to have none.
func (s *shown) lacks(id string) bool {
	key, ok := s.key(id)
	_, there := s.ids[key]
	return ok && !there
}

// key returns an id that is remembered, or would be. Ids are random.
func (s *shown) key(id string) (key [16]byte, ok bool) {
	if len(id) != hex.EncodedLen(len(key)) {
		return key, false
	}
	_, err := hex.Decode(key[:], []byte(id))
	return key, err == nil && s.mine(key)
}

func (s *shown) mine(key [16]byte) bool {
	last := uint32(key[12])<<24 | uint32(key[13])<<16 | uint32(key[14])<<8 | uint32(key[15])
	return last&s.mask == s.part&s.mask
}

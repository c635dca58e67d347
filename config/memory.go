package config

import "fmt"

// DefaultMemory is what gateway and darkroom may hold together unless somebody
// says otherwise.
const DefaultMemory = 512 * MB

// MinMemory is the least that can be set; the tag of Memory says it too.
const MinMemory = 224 * MB

// LeastMemory returns the least memory with which originals of up to that many
// bytes can be fetched and developed. An original is there twice at the end of
// its fetch and once more in the process that develops it; the rest is for the
// programs themselves, and for decoding an ordinary photo. What becomes of it is
// reckoned in gateway/budget.
func LeastMemory(largest Bytes) Bytes { return max(MinMemory, 3*largest+148*MB) }

// least returns what Memory must be for originals of up to that many bytes, where
// it is too little, and zero where it is enough.
func (p GatewayPhotos) least(largest Bytes) Bytes {
	memory := p.Memory
	if memory == 0 {
		memory = DefaultMemory
	}
	if least := LeastMemory(largest); least > memory {
		return least
	}
	return 0
}

// tooLarge finds a size of originals that does not fit into the memory. Where
// none is set there is none to find fault with.
func (p GatewayPhotos) tooLarge(path string, largest Bytes) []Finding {
	least := p.least(largest)
	if least == 0 || largest == 0 {
		return nil
	}
	return []Finding{{path, fmt.Sprintf("photos of %s need photos.memory of at least %s", largest, least),
		"an original is held up to three times while it is fetched and developed",
		fmt.Sprintf("set photos.memory: %s in the gateway's file, or choose a smaller max_bytes", least)}}
}

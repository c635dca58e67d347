//go:build race

package darkroom

// raceDetector tells that this build needs terabytes of address space.
const raceDetector = true

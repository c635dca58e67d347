//go:build !amd64 && !arm64

package darkroom

// limitCalls knows the system calls of no other processor.
func limitCalls() string { return "system calls are not limited on this processor" }

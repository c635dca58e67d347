package store

import "time"

// Hurry gives a store less patience with its server: for a call, and for a piece
// of a stream.
func (s *S3) Hurry(call, piece time.Duration) { s.patience, s.pause = call, piece }

// Connections is how many a store has at most for reading.
const Connections = connections

package jpeg

// tape is the tokens of a picture in the order of its scan. It consists of pieces,
// so that nothing is moved when it grows, and little of it is never used.
type tape struct {
	pieces []*piece
	used   int
}

// piece is tokens, of which the first n are used.
type piece struct {
	tokens [pieceTokens]token
	n      int
}

const (
	pieceBytes  = 16 << 10
	pieceTokens = pieceBytes/2 - 4
	// fullPiece is the most tokens that leave room for a block.
	fullPiece = pieceTokens - mostTokens
)

// clear takes all tokens off, and keeps the pieces.
func (t *tape) clear() { t.used = 0 }

// room is the piece to which a block is to be appended.
func (t *tape) room() *piece {
	if t.used > 0 && t.pieces[t.used-1].n <= fullPiece {
		return t.pieces[t.used-1]
	}
	if t.used == len(t.pieces) {
		t.pieces = append(t.pieces, new(piece))
	}
	t.used++
	p := t.pieces[t.used-1]
	p.n = 0
	return p
}

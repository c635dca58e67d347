package outbound

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// ReceiptKey names what a platform has made of one of our messages, by the id that it
// returned, so that a receipt finds it in the journal. It is empty without an id.
func ReceiptKey(channel, account, id string) string {
	if id == "" {
		return ""
	}
	words, _ := json.Marshal([]string{"receipt", channel, account, id}) // strings have no way to fail
	sum := sha256.Sum256(words)
	return hex.EncodeToString(sum[:])
}

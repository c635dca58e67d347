package apple

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/lightlock/lightlock/connectors"
)

const (
	// maxAttachments is more than a phone sends at once. A dictionary can be as
	// short as two bytes, so a body has room for millions of them.
	maxAttachments = 100
	// maxLocator is how long each part of a reference may be: it becomes a
	// header.
	maxLocator = 4 << 10
	// maxRef is how long a reference may be: three such parts, with the escapes
	// that JSON may write for each of their bytes, and the key.
	maxRef = 3*6*maxLocator + 1<<10
	// maxType is how long a media type may be (RFC 6838, section 4.2).
	maxType = 255
	// unreadable is the reference to an attachment of which too little can be
	// read. It is a photo all the same, so that the agent hears of it.
	unreadable = "unreadable"
)

// attachment is an attachment's dictionary. There are two dialects of its keys:
// that of Apple's pages, and that of its older samples. Whatever is not a text
// counts as missing.
// https://register.apple.com/resources/messages/msp-rest-api/type-text
type attachment map[string]json.RawMessage

// text returns the first of these members that is a text.
func (a attachment) text(names ...string) string {
	for _, name := range names {
		var value string
		if json.Unmarshal(a[name], &value) == nil && value != "" {
			return value
		}
	}
	return ""
}

// size returns how many bytes there are, encrypted or not, or 0. Some write it
// as a number, some as a text.
func (a attachment) size() int64 {
	for _, name := range []string{"size", "file-size"} {
		if n, err := strconv.ParseInt(strings.Trim(string(a[name]), `"`), 10, 64); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// attachments returns the dictionaries of a message, each to be read on its
// own. Something else than a list stands for one.
func attachments(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &list) != nil {
		return []json.RawMessage{raw}
	}
	return list
}

// newPhoto returns an attachment that may be a photo. One that can never be
// fetched is still one that was sent.
func newPhoto(account string, raw json.RawMessage) (connectors.Photo, bool) {
	var a attachment
	_ = json.Unmarshal(raw, &a) // what is no dictionary has no members
	kind := a.text("mimeType", "mime-type")
	if !mayBePhoto(kind) {
		return connectors.Photo{}, false
	}
	if len(kind) > maxType {
		kind = ""
	}
	return connectors.Photo{Account: account, Ref: a.ref().encode(), ClaimedType: kind, ClaimedBytes: a.size()}, true
}

// mayBePhoto tells whether something of this type is worth a look. Voice notes,
// passes, films and office files are ordinary here, and no photos that went
// wrong; of a live photo only the still is one. Apple's type for .usdz has no
// slash.
func mayBePhoto(kind string) bool {
	kind = strings.ToLower(kind)
	family, sub, found := strings.Cut(kind, "/")
	return family == "image" || strings.HasPrefix(sub, "octet-stream") || !found && !strings.HasPrefix(kind, "vnd.")
}

// ref is where an attachment is and how it is opened. The key is the one secret
// that a reference holds, because nothing but the webhook ever tells it. It opens
// this one photo and lies where the message's own text does; it is in no error
// and no log.
type ref struct {
	URL       string `json:"url"`
	Owner     string `json:"owner"`
	Signature string `json:"signature"` // Base64
	Key       string `json:"key"`       // hex of 32 bytes
}

// ref returns the reference to an attachment, which may lack something.
func (a attachment) ref() ref {
	return ref{
		URL:       a.text("url", "mmcs-url"),
		Owner:     a.text("owner", "mmcs-owner"),
		Signature: a.signature(),
		Key:       fileKey(a.text("key", "decryption-key")),
	}
}

// signature returns the signature in Base64, the form that Apple's gateway
// wants. Which one is given is told by the member's name: most hex digits are
// Base64, too.
func (a attachment) signature() string {
	raw, err := base64.StdEncoding.DecodeString(a.text("signature-base64"))
	if err != nil || len(raw) == 0 {
		raw, err = hex.DecodeString(a.text("signature", "mmcs-signature-hex"))
	}
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// fileKey returns 64 hex digits, or nothing. Apple writes 00 before them, which
// is told by the length: a key may itself begin with zeros.
func fileKey(text string) string {
	if len(text) == 66 {
		text = strings.TrimPrefix(text, "00")
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != 32 {
		return ""
	}
	return hex.EncodeToString(key)
}

// usable tells whether an attachment can be fetched by r.
func (r ref) usable() bool {
	raw, err := base64.StdEncoding.DecodeString(r.Signature)
	return err == nil && len(raw) > 0 && fits(r.Signature) && fits(r.URL) && fits(r.Owner) && len(r.Key) == 64 && fileKey(r.Key) != ""
}

// fits tells whether text can be the value of a header.
func fits(text string) bool {
	return text != "" && len(text) <= maxLocator && strings.TrimSpace(text) == text &&
		!strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f })
}

// encode returns r as a Photo.Ref. It is not named String, so that nothing prints
// it by mistake.
func (r ref) encode() string {
	data, err := json.Marshal(r)
	if err != nil || !r.usable() {
		return unreadable
	}
	return string(data)
}

// readRef reads a Photo.Ref.
func readRef(text string) (ref, bool) {
	var r ref
	if len(text) > maxRef || json.Unmarshal([]byte(text), &r) != nil {
		return ref{}, false
	}
	return r, r.usable()
}

// decrypt returns what body holds in clear: AES-256 in counter mode, from zero,
// without padding. size is the length that the message announced, or 0.
// https://developer.apple.com/documentation/businesschatapi/messages_sent/encrypting_an_attachment
func (r ref) decrypt(op string, body io.ReadCloser, size int64) io.ReadCloser {
	key, _ := hex.DecodeString(r.Key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // usable has seen to it
	}
	//nolint:gosec // Zero is where Apple begins; each key is used once.
	stream := cipher.NewCTR(block, make([]byte, aes.BlockSize))
	return &decrypted{ReadCloser: body, op: op, stream: stream, size: size}
}

// decrypted is an attachment in clear. A wrong key is not noticed here: the mode
// has no check, so other bytes come out.
type decrypted struct {
	io.ReadCloser
	op         string
	stream     cipher.Stream
	size, read int64
}

// Read implements io.Reader. An attachment that is shorter or longer than
// announced does not end with io.EOF: Apple's own sample refuses it too.
func (d *decrypted) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	d.stream.XORKeyStream(p[:n], p[:n])
	d.read += int64(n)
	if errors.Is(err, io.EOF) && d.size > 0 && d.read != d.size {
		err = connectors.Errorf(connectors.Unavailable, d.op, "attachment is not as long as announced")
	}
	return n, err
}

package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/lightlock/lightlock/config"
)

// keyring holds the operator's keys. The first wraps what is new.
type keyring struct {
	first string
	keys  map[string]tink.AEAD
}

// newKeyring makes a keyring of the configuration's keys, of which there must be
// one.
func newKeyring(list []config.StoreKey) (*keyring, error) {
	if len(list) == 0 {
		return nil, errors.New("store: no key under store.keys")
	}
	r := &keyring{first: list[0].ID, keys: map[string]tink.AEAD{}}
	for _, k := range list {
		raw, err := k.Bytes()
		if err != nil {
			return nil, fmt.Errorf("store: key %q: %w", k.ID, err)
		}
		if _, twice := r.keys[k.ID]; twice || !keyID.MatchString(k.ID) {
			return nil, fmt.Errorf("store: key %q: its id is no id, or there twice", k.ID)
		}
		if r.keys[k.ID], err = operatorsKey(raw); err != nil {
			return nil, fmt.Errorf("store: key %q: %w", k.ID, err)
		}
	}
	return r, nil
}

var keyID = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// operatorsKey makes a Tink key of 32 bytes.
func operatorsKey(raw []byte) (tink.AEAD, error) {
	parameters, err := aesgcm.NewParameters(aesgcm.ParametersOpts{
		KeySizeInBytes: len(raw), IVSizeInBytes: 12, TagSizeInBytes: 16, Variant: aesgcm.VariantNoPrefix,
	})
	if err != nil {
		return nil, err
	}
	key, err := aesgcm.NewKey(secretdata.NewBytesFromData(raw, insecuresecretdataaccess.Token{}), 0, parameters)
	if err != nil {
		return nil, err
	}
	return aesgcm.NewAEAD(key)
}

// wrapped is a key that an operator's key has wrapped, as it is stored.
type wrapped struct {
	Version int `json:"v"`
	// By is the id of the operator's key.
	By string `json:"by"`
	// Conversation is that of a photo.
	Conversation string `json:"conversation,omitempty"`
	// Key is a Tink keyset, encrypted.
	Key []byte `json:"key"`
}

// wrappedVersion is the form of what is stored. Another is a newer gateway's.
const wrappedVersion = 1

// about is what a wrapped key is bound to.
func (w wrapped) about(what ...string) []byte {
	return text(append([]string{"lightlock key 1", w.By, w.Conversation}, what...)...)
}

// text makes one text of several, so that no two lists make the same.
func text(parts ...string) []byte {
	encoded, _ := json.Marshal(parts) // strings cannot fail
	return encoded
}

// marshal is the only form in which it is stored: another is somebody's change.
func (w wrapped) marshal() ([]byte, error) { return json.Marshal(w) }

// parseWrapped reads what marshal has made, and nothing else.
func parseWrapped(data []byte) (w wrapped, err error) {
	if json.Unmarshal(data, &w) != nil || !keyID.MatchString(w.By) {
		return wrapped{}, ErrDamaged
	}
	if w.Version > wrappedVersion {
		return wrapped{}, errors.New("store: a newer gateway has put it, in another form")
	}
	if again, err := w.marshal(); err != nil || !bytes.Equal(again, data) || w.Version != wrappedVersion {
		return wrapped{}, ErrDamaged
	}
	return w, nil
}

// newKey makes a key and wraps it. what says what it is for.
func (r *keyring) newKey(conversation string, what ...string) (*dataKey, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMNoPrefixKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return r.wrap(handle, conversation, what)
}

// wrap wraps a key by the first of the operator's.
func (r *keyring) wrap(handle *keyset.Handle, conversation string, what []string) (*dataKey, error) {
	w := wrapped{Version: wrappedVersion, By: r.first, Conversation: conversation}
	var sealed bytes.Buffer
	err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&sealed), r.keys[r.first], w.about(what...))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	w.Key = sealed.Bytes()
	return newDataKey(w, handle)
}

// unwrap opens a key that is for what is said, or is ErrLocked or ErrDamaged.
func (r *keyring) unwrap(w wrapped, what ...string) (*dataKey, error) {
	operators, ok := r.keys[w.By]
	if !ok {
		return nil, fmt.Errorf("%w: store.keys has none with the id %q", ErrLocked, w.By)
	}
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(w.Key)), operators, w.about(what...))
	if err != nil {
		// Which of both it is nobody can tell: the cipher knows one kind of failure.
		return nil, fmt.Errorf("%w: the key with the id %q in store.keys is not the one that it was wrapped by, or %w", ErrLocked, w.By, ErrDamaged)
	}
	return newDataKey(w, handle)
}

// dataKey is the key of one photo, or of one document.
type dataKey struct {
	wrapped
	handle *keyset.Handle
	cipher tink.AEAD
}

func newDataKey(w wrapped, handle *keyset.Handle) (*dataKey, error) {
	cipher, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return &dataKey{wrapped: w, handle: handle, cipher: cipher}, nil
}

// seal makes of data what only this key opens, for the same use.
func (k *dataKey) seal(data []byte, what ...string) ([]byte, error) {
	return k.cipher.Encrypt(data, k.use(what))
}

// open is the way back, or ErrDamaged.
func (k *dataKey) open(sealed []byte, what ...string) ([]byte, error) {
	data, err := k.cipher.Decrypt(sealed, k.use(what))
	if err != nil {
		return nil, ErrDamaged
	}
	return data, nil
}

func (k *dataKey) use(what []string) []byte {
	return text(append([]string{"lightlock data 1", k.Conversation}, what...)...)
}

package store

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Kind is which of the two pictures of a photo is meant.
type Kind string

// The kinds.
const (
	Preview   Kind = "preview"
	Thumbnail Kind = "thumbnail"
)

// Key names one picture. The attempt is 128 random bits, so that no name can be
// guessed.
type Key struct {
	// Queue is the agents' queue: 1 to 64 of a-z, 0-9 and "-".
	Queue string
	// Attempt is the attempt that developed the photo: 32 lower-case hex digits.
	Attempt string
	// Photo is the photo's index in its message, 0 to 99.
	Photo int
	Kind  Kind
	// Conversation is the one that the photo belongs to, 32 lower-case hex digits, or
	// empty where that is nobody's concern. Put keeps it with the photo's key, so that
	// nobody can change it; it is no part of the name.
	Conversation string
}

// maxPhotos is how many photos of a message can be named.
const maxPhotos = 100

var (
	queueName   = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	prefixName  = regexp.MustCompile(`^[0-9a-f]{2}$`)
	attemptName = regexp.MustCompile(`^[0-9a-f]{32}$`)
	photoID     = regexp.MustCompile(`^([a-z0-9-]{1,64})\.([0-9a-f]{32})\.(0|[1-9][0-9]?)$`)
)

// errKey says that a key cannot name anything. The key is not repeated: it may
// be a stranger's text.
var errKey = errors.New("store: not a key")

// PhotoID is the photo's public name, as the queue and addresses show it:
// QUEUE.ATTEMPT.PHOTO. It is the same for both kinds and safe in a URL.
func (k Key) PhotoID() string {
	return k.Queue + "." + k.Attempt + "." + strconv.Itoa(k.Photo)
}

// ParsePhotoID returns the key that a PhotoID was made from, without its Kind.
// Every key has exactly one PhotoID, and every other text is an error: what
// passes cannot lead out of the store's folder.
func ParsePhotoID(id string) (Key, error) {
	m := photoID.FindStringSubmatch(id)
	if m == nil {
		return Key{}, errors.New("store: not a photo id")
	}
	photo, err := strconv.Atoi(m[3])
	return Key{Queue: m[1], Attempt: m[2], Photo: photo}, err
}

// check tells whether the key may become a path.
func (k Key) check() error {
	known := k.Kind == Preview || k.Kind == Thumbnail
	if !known || k.Photo < 0 || k.Photo >= maxPhotos {
		return errKey
	}
	return checkAttempt(k.Queue, k.Attempt)
}

func checkAttempt(queue, attempt string) error {
	if !queueName.MatchString(queue) || !attemptName.MatchString(attempt) {
		return errKey
	}
	return nil
}

// name is where the picture lies.
func (k Key) name() string { return path.Join(folder(k.Queue, k.Attempt), k.file()) }

// file is the name of the picture's file in its folder.
func (k Key) file() string { return fmt.Sprintf("%d.%s", k.Photo, k.Kind) }

// lock is where the key of both pictures lies, wrapped.
func (k Key) lock() string {
	return path.Join(folder(k.Queue, k.Attempt), strconv.Itoa(k.Photo)+keySuffix)
}

// keySuffix ends the names of keys, and of nothing else.
const keySuffix = ".key"

// isKey tells whether a name is a key's.
func isKey(name string) bool { return strings.HasSuffix(name, keySuffix) }

// folder is where an attempt's pictures lie. The first byte of the attempt
// stands between, because a folder of a million entries is slow on many file
// systems.
func folder(queue, attempt string) string { return path.Join(queue, attempt[:2], attempt) }

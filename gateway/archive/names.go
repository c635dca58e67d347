package archive

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The folders.
const (
	folderConversations = "conversations"
	folderClosed        = "closed"
	folderParties       = "parties"
)

// Times and days are counted backwards from these, in the years 2286 and 2243, so
// that the newest is the first in the order of names.
const (
	lastMilli = 9_999_999_999_999
	lastDay   = 99_999
)

// nobody stands for a party that is none, or is not known.
const nobody = "00000000000000000000000000000000"

const day = 24 * time.Hour

var (
	queueName        = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	conversationName = regexp.MustCompile(`^[0-9a-f]{32}$`)
	partyName        = regexp.MustCompile(`^[0-9a-f]{32,128}$`)
	leafName         = regexp.MustCompile(`^([0-9]{13})\.([0-9a-f]{32})\.([0-9]{8})\.([0-9]{5})$`)
	generationName   = regexp.MustCompile(`^([0-9]{8})(\.[0-9a-f]{32}\.[0-9]{4})?$`)
)

// named tells whether a queue and a conversation may stand in a name.
func named(in, id string) bool { return queueName.MatchString(in) && conversationName.MatchString(id) }

// folderOf is where the generations of a conversation are.
func folderOf(in, id string) string { return path.Join(folderConversations, in, id[:2], id) }

// conversationOf reads of what conversation a document is.
func conversationOf(name string) (in, id string, ok bool) {
	folder := path.Dir(name)
	in, id = path.Base(path.Dir(path.Dir(folder))), path.Base(folder)
	return in, id, named(in, id) && folder == folderOf(in, id)
}

// documentOf is the name of a generation.
func documentOf(in, id string, number int) string {
	return path.Join(folderOf(in, id), fmt.Sprintf("%08d", number))
}

// partOf is the name of a part of a generation that is too long for one document.
func partOf(in, id string, number int, random string, n int) string {
	return documentOf(in, id, number) + fmt.Sprintf(".%s.%04d", random, n)
}

// numberOf reads the number of a generation, or of one that a part belongs to.
func numberOf(name string) (number int, part, ok bool) {
	m := generationName.FindStringSubmatch(path.Base(name))
	if m == nil {
		return 0, false, false
	}
	number, err := strconv.Atoi(m[1])
	return number, m[2] != "", err == nil
}

// leaf is what the name of a card says.
type leaf struct {
	queue, id  string
	party      string // or nobody
	closed     time.Time
	generation int
	oldest     int // the day of the oldest message, since 1970
}

func (l leaf) base() string {
	return fmt.Sprintf("%s.%08d.%05d", l.place(), l.generation, l.oldest)
}

// place is where a card stands among others, the newest first.
func (l leaf) place() string {
	return fmt.Sprintf("%013d.%s", lastMilli-l.closed.UnixMilli(), l.id)
}

func (l leaf) card() string {
	return path.Join(folderClosed, l.queue, dayFolder(l.closed), l.base())
}

func (l leaf) pointer() string { return path.Join(folderParties, l.queue, l.party, l.base()) }

// dayFolder keeps cards of a day together, so that no folder has millions.
func dayFolder(at time.Time) string { return fmt.Sprintf("%05d", lastDay-dayOf(at)) }

func dayOf(at time.Time) int { return int(max(0, at.Unix()) / int64(day/time.Second)) }

// parseLeaf reads the name of a card or of a pointer.
func parseLeaf(name string) (l leaf, ok bool) {
	parts := strings.Split(name, "/")
	m := leafName.FindStringSubmatch(parts[len(parts)-1])
	if m == nil || len(parts) != 4 {
		return leaf{}, false
	}
	ms, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return leaf{}, false
	}
	l = leaf{queue: parts[1], id: m[2], party: nobody, closed: time.UnixMilli(lastMilli - ms).UTC()}
	if parts[0] == folderParties {
		l.party = parts[2]
	}
	l.generation, _ = strconv.Atoi(m[3]) // digits, both
	l.oldest, _ = strconv.Atoi(m[4])
	return l, true
}

package forget

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Place is where something of a consumer was.
type Place string

// The places.
const (
	Spooled   Place = "messages in the spool"
	Letters   Place = "dead letters"
	Waiting   Place = "messages that waited"
	InWork    Place = "messages in work"
	Talks     Place = "conversations"
	Messages  Place = "messages in conversations"
	Unsaid    Place = "messages not sent yet"
	Archived  Place = "closed conversations in the archive"
	Documents Place = "entries in the agents' queue"
	Photos    Place = "photos"
)

// Places lists all, in the order in which they are told.
func Places() []Place {
	return []Place{Spooled, Letters, Waiting, InWork, Talks, Messages, Unsaid, Archived, Documents, Photos}
}

// Words is the place as people read it behind a number: one is 1 message, two are 2
// messages.
func (p Place) Words(n int) string {
	text := string(p)
	if n != 1 {
		return text
	}
	for _, noun := range [][2]string{{"messages", "message"}, {"letters", "letter"}, {"entries", "entry"}, {"conversations", "conversation"}, {"photos", "photo"}} {
		if strings.Contains(text, noun[0]) {
			return strings.Replace(text, noun[0], noun[1], 1)
		}
	}
	return text
}

// Found is what there was in one place.
type Found struct {
	// Account is the account's name; it may be empty where nobody knows it.
	Account string
	Place   Place
	Number  int
}

// Report is what Forget has destroyed, or would.
type Report struct {
	// Read is how many of the entries agents' software had been given before, and
	// Sending how many messages to the consumer are on their way.
	Read, Sending int
	// Unreadable is how much only a newer release can read, so that nobody knows whose
	// it is.
	Unreadable int

	found  map[Found]int // Number is zero
	photos map[string]bool
}

// Found lists what there was, by account and then by place.
func (r Report) Found() []Found {
	var list []Found
	for f, n := range r.found {
		f.Number = n
		list = append(list, f)
	}
	places := Places()
	slices.SortFunc(list, func(a, b Found) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(slices.Index(places, a.Place), slices.Index(places, b.Place)))
	})
	return list
}

// Add adds another queue's.
func (r *Report) Add(other Report) {
	r.Read, r.Sending, r.Unreadable = r.Read+other.Read, r.Sending+other.Sending, r.Unreadable+other.Unreadable
	for f, n := range other.found {
		r.note(f.Account, f.Place, n)
	}
}

func (r *Report) note(account string, place Place, n int) {
	if n == 0 {
		return
	}
	if r.found == nil {
		r.found = map[Found]int{}
	}
	r.found[Found{Account: account, Place: place}] += n
}

// notePhotos counts photos, each once.
func (r *Report) notePhotos(account string, ids []string) {
	if r.photos == nil {
		r.photos = map[string]bool{}
	}
	before := len(r.photos)
	for _, id := range ids {
		r.photos[id] = true
	}
	r.note(account, Photos, len(r.photos)-before)
}

// Accounts are the names of those that had anything.
func (r Report) Accounts() []string {
	names := map[string]bool{}
	for f := range r.found {
		names[f.Account] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Left says in sentences what is not destroyed.
func (r Report) Left() (list []string) {
	if r.Unreadable > 0 {
		list = append(list, fmt.Sprintf("%d that this release cannot read, so that nobody knows whose they are; a newer release can.", r.Unreadable))
	}
	return list
}

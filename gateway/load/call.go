package load

import (
	"bytes"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lightlock/lightlock/connectors"
)

// Call is one webhook call of a platform, signed and ready to be sent.
type Call struct {
	Speaker *Speaker
	// Event is the one thing that the call tells of; a repeat has that of the
	// call that it repeats.
	Event *Event
	// Forged calls bear a wrong signature.
	Forged bool
	// Repeat tells that the same call has been planned before.
	Repeat bool

	bytes []byte
}

// Event is what a call tells of, and so what the gateway owes for it.
type Event struct {
	// Key is the id of its document in the queue.
	Key  string
	Kind connectors.Kind
	// Of is the message that an edit or an unsend is about.
	Of *Event
	// Text is the message's, or the new one of an edit.
	Text string
	// Photos is how many the message has, and Photo which of the plan's is the
	// first of them; the others are those behind it, in turn.
	Photos, Photo int
}

// render writes a request as it goes over the wire to a gateway whose public
// address is public. A path in that is a proxy's; where the call goes, path
// stands in its place.
func render(r *connectors.Request, public *url.URL, path string) []byte {
	var b bytes.Buffer
	target := path + strings.TrimPrefix(r.URL, strings.TrimRight(public.String(), "/"))
	b.Grow(len(target) + len(r.Body) + 512)
	b.WriteString(r.Method + " " + target + " HTTP/1.1\r\nHost: " + public.Host + "\r\nContent-Length: " + strconv.Itoa(len(r.Body)) + "\r\n")
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		b.WriteString(name + ": " + r.Header.Get(name) + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	return b.Bytes()
}

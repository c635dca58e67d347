package agent

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// mostSince is how long the id of a live update may be, in bytes. It travels in a
// header, of which a call has 16 KiB.
const mostSince = 8 << 10

// places is where one is in the live updates: the place among the changes of each
// queue. The public id of an update is the places behind it.
type places map[string]string

var onePlace = regexp.MustCompile(`^([a-z0-9-]{1,64})=([0-9]{1,20}-[0-9]{1,20})$`)

// String is the id for callers.
func (p places) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(name + "=" + p[name])
	}
	return b.String()
}

// readPlaces reads an id.
func readPlaces(text string) (places, error) {
	p := places{}
	if text == "" {
		return p, nil
	}
	if len(text) > mostSince {
		return nil, wrong("since is the id of a live update")
	}
	for one := range strings.SplitSeq(text, ",") {
		m := onePlace.FindStringSubmatch(one)
		if m == nil {
			return nil, wrong("since is the id of a live update")
		}
		p[m[1]] = m[2]
	}
	return p, nil
}

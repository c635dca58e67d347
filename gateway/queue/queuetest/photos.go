package queuetest

import (
	"fmt"
	"slices"
	"strings"
)

// Photos lists the messages with photos that a queue's journal holds, 20 at most, and
// where each stands, for the one who wonders what keeps a test waiting: each stands
// in its stream, in its lane's line or among the delayed, in one place only.
func (i *Inspector) Photos(name string) (lines []string) {
	i.t.Helper()
	at := slot(name)
	places := i.photoPlaces(name)
	keys, err := i.client.HKeys(i.t.Context(), at+"photos:data").Result()
	i.check(err)
	slices.Sort(keys)
	for _, key := range keys[:min(len(keys), 20)] {
		mark, err := i.client.Get(i.t.Context(), at+"seen:"+key).Result()
		i.check(err)
		told, err := i.client.HGet(i.t.Context(), at+"photos:told", key).Result()
		i.check(err)
		work, err := i.client.HGetAll(i.t.Context(), at+"work:"+key).Result()
		i.check(err)
		lines = append(lines, fmt.Sprintf("%s: stands in %q, mark %q, told %q, work %v", key, places[key], mark, told, work))
	}
	return lines
}

// photoPlaces are all places in which the journal names a message with photos.
func (i *Inspector) photoPlaces(name string) map[string][]string {
	i.t.Helper()
	at, places := slot(name), map[string][]string{}
	put := func(key, place string) { places[key] = append(places[key], place) }
	for _, m := range i.stream(at + "photos") {
		put(fmt.Sprint(m.Values["key"]), "the stream as "+m.ID)
	}
	due, err := i.client.ZRange(i.t.Context(), at+"photos:delayed", 0, -1).Result()
	i.check(err)
	for _, key := range due {
		put(key, "the delayed")
	}
	lanes, err := i.client.SMembers(i.t.Context(), at+"lanes").Result()
	i.check(err)
	for _, lane := range lanes {
		line, err := i.client.LRange(i.t.Context(), at+"lane:"+lane, 0, -1).Result()
		i.check(err)
		for _, one := range line {
			key, _, _ := strings.Cut(one, " ")
			put(key, "the line of "+lane)
		}
		window, err := i.client.HGetAll(i.t.Context(), at+"window:"+lane).Result()
		i.check(err)
		for key, entry := range window {
			put(key, "the window of "+lane+" as "+entry)
		}
	}
	return places
}

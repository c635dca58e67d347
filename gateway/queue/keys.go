package queue

import (
	"fmt"
	"regexp"
	"strings"
)

// All keys of one queue share the hash slot of its agents' stream, because a
// cluster hashes what stands between braces and nothing else.
const (
	streamPrefix = "lightlock:queue:"
	// workers is the group of both inboxes. ensure.lua makes it, and the group
	// agents of the stream for agents' software.
	workers = "workers"
)

var queueName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// shortestHash and longestHash are how many digits a hash may have.
const shortestHash, longestHash = 16, 128

// keys makes the names of one queue's keys.
type keys struct {
	out     string // stream: what agents' software reads
	inbox   string // stream: the journal of what needs no darkroom
	delayed string // sorted set: event key of such by the time it is due
	records string // hash: event key to delayed entry of such
	dead    string // sorted set: event key by the time it died
	letters string // hash: event key to dead letter
	seen    string // prefix; string per event: accepted, done, withdrawn, void or buried
	work    string // prefix; hash per event: attempt, starts, deaths
	conv    string // prefix; hash per party: conversation, seq, last message
	message string // prefix; string per message: what common.lua calls its name
	// Messages with photos. Theirs is everything apart, because a release that
	// knows nothing of them takes a delayed entry without a record for lost.
	photos        string // stream: key and lane of those inside a window
	photosDelayed string // sorted set: event key by the time it is due
	data          string // hash: event key to record, from acceptance to the end
	promised      string // sorted set: event key by when its text should be told
	tellings      string // hash: event key to the id and entry by which it was told
	kept          string // hash: event key to the attempts that its record names
	attempts      string // hash: attempt to event key and the time it began
	lanes         string // set: lanes that have something; common.lua makes a lane's keys of it
	// What goes the other way.
	outgoing string // sorted set: conversation and party by when to look at them
	say      string // prefix; list per conversation: messages to the consumer
	told     string // prefix; string per message to a consumer: what became of it
	noticed  string // prefix; list per party: when it had its last notices
	// Conversations, as agents see them; chats.lua makes the other keys of one of its
	// head's name, and says what is in them.
	chat    string // prefix; hash per conversation: its head
	waiting string // sorted set: conversations that nobody has by WaitingSince
	agent   string // prefix; sorted set per agent: conversations by LastMessageAt
	over    string // sorted set: closed conversations by when they may be archived
	idle    string // sorted set: open conversations by the last activity
	changes string // stream: what has changed
	receipt string // prefix; string per platform's message: the reply that it is of
	link    string // prefix; string per link: the photo and the agent it stands for
	chatsOf string // prefix; set per party: its conversations that are in Redis
	// Who was forgotten; common.lua makes the first of another key's name.
	forgotten  string // sorted set: parties and conversations by when they were forgotten
	forgetting string // prefix; string per party: the last call that forgot it
	theirs     string // prefix; set per party: conversations that are still to be destroyed,
	// and behind the party with :attempts those whose blobs are
}

// Stream returns the key of a queue's stream for agents' software.
func Stream(queue string) string { return streamPrefix + queue }

func keysOf(queue string) (keys, error) {
	if !queueName.MatchString(queue) {
		return keys{}, fmt.Errorf("%w: queue name %.80q is not [a-z0-9-]{1,64}", ErrInvalid, queue)
	}
	slot := "{" + Stream(queue) + "}:"
	return keys{
		out:     Stream(queue),
		inbox:   slot + "inbox",
		delayed: slot + "delayed",
		records: slot + "delayed:data",
		dead:    slot + "dead",
		letters: slot + "dead:data",
		seen:    slot + "seen:",
		work:    slot + "work:",
		conv:    slot + "conv:",
		message: slot + "message:",

		photos:        slot + "photos",
		photosDelayed: slot + "photos:delayed",
		data:          slot + "photos:data",
		promised:      slot + "promised",
		tellings:      slot + "photos:told",
		kept:          slot + "photos:kept",
		attempts:      slot + "attempts",
		lanes:         slot + "lanes",

		outgoing: slot + "outgoing",
		say:      slot + "say:",
		told:     slot + "told:",
		noticed:  slot + "noticed:",

		chat:    slot + "chat:",
		waiting: slot + "chats:waiting",
		agent:   slot + "chats:agent:",
		over:    slot + "chats:closed",
		idle:    slot + "chats:idle",
		changes: slot + "changes",
		receipt: slot + "sent:",
		link:    slot + "link:",
		chatsOf: slot + "chats:of:",

		forgotten:  slot + "forgotten",
		forgetting: slot + "forgetting:",
		theirs:     slot + "chats:forgotten:",
	}, nil
}

// stream is the inbox that an entry of a lane, or of none, stands in.
func (k keys) stream(lane string) string {
	if lane == "" {
		return k.inbox
	}
	return k.photos
}

// putOff are the keys of a delayed entry of a lane, or of none.
func (k keys) putOff(lane string) (delayed, records string) {
	if lane == "" {
		return k.delayed, k.records
	}
	return k.photosDelayed, k.data
}

// large are those keys of a queue that can grow large, in an operator's words. What
// waits in lanes is in a key of each.
func (k keys) large(lanes []string) map[string][]string {
	photos := []string{k.data, k.photos, k.photosDelayed, k.promised, k.tellings, k.kept}
	for _, lane := range lanes {
		photos = append(photos, strings.TrimSuffix(k.lanes, "lanes")+"lane:"+lane)
	}
	return map[string][]string{
		"the agents' queue": {k.out}, "the inbox": {k.inbox}, "photos that wait": photos, "attempts at photos": {k.attempts},
		"changes of conversations": {k.changes}, "lists of conversations": {k.waiting, k.over, k.idle},
		"delayed messages": {k.records, k.delayed}, "dead letters": {k.letters, k.dead},
	}
}

// or returns prefix and name, or another key where there is no name: a script
// has a place for every key, and takes one that it has anyway for none.
func or(prefix, name, other string) string {
	if name == "" {
		return other
	}
	return prefix + name
}

// checkHex refuses a name that is no hash: it would become part of a key. The
// error does not repeat it, because it may be what should have been hashed.
func checkHex(what, value string) error {
	// Every event is asked about three times and more, so it is no regexp.
	if len(value) < shortestHash || len(value) > longestHash || strings.Trim(value, "0123456789abcdef") != "" {
		return fmt.Errorf("%w: the %s, %d bytes, is not a hash in lower-case hex", ErrInvalid, what, len(value))
	}
	return nil
}

package inbound

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/routes"
)

// job is what the journal keeps of a message until it is forwarded. Its JSON is
// read by other releases: fields are added and never change their meaning, and
// a change that an older release must not touch raises Version.
type job struct {
	Version int    `json:"version"`
	Channel string `json:"channel"`
	// Account is the account's name when the message was accepted.
	Account    string           `json:"account"`
	ReceivedAt time.Time        `json:"received_at"`
	Event      connectors.Event `json:"event"`
	// Done are the photos that are settled, by their index, as agents will see
	// them: what was developed is not fetched again because its neighbour failed.
	Done map[int]queue.Photo `json:"done,omitempty"`
	// Held is how often in a row it was put off because its host was left alone.
	Held int `json:"held,omitempty"`
	// Waits is how often in a row it was put off over nothing that a platform did: its
	// host had no place, or there was trouble of our own.
	Waits int `json:"waits,omitempty"`
	// GivenUp are those of Done whose tries were used up, with the last error: an
	// operator may know when they are worth another.
	GivenUp map[int]string `json:"given_up,omitempty"`
	// Revived is how often its dead letter was retried.
	Revived int `json:"revived,omitempty"`

	fresh []int // those of Done whose pictures are of this attempt
	wrote bool  // whether there may be any of this attempt
}

const jobVersion = 1

var errNewerJob = errors.New("written by a newer release")

func decodeJob(payload []byte) (job, error) {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return job{}, errors.New("journal entry does not parse")
	}
	if j.Version > jobVersion {
		return j, errNewerJob
	}
	return j, nil
}

// Caps on what one event may cost, beside the journal's own. A platform's limits
// are far below; what is above them is not a message of a consumer.
const (
	// maxRaw is how much of the platform's own text is kept with a message.
	maxRaw = 16 << 10 // as JSON within JSON it may grow sixfold
	// maxPhotos is more than any platform puts into one message.
	maxPhotos = 20
)

// batch sorts the events of one webhook call by where they go.
type batch struct {
	route   *routes.Route
	at      time.Time
	items   map[string][]queue.Item
	letters map[string][]queue.Letter
	// receipts are best noted, and not worth more.
	receipts []receipt
}

func newBatch(route *routes.Route, at time.Time) *batch {
	return &batch{route: route, at: at, items: map[string][]queue.Item{}, letters: map[string][]queue.Letter{}}
}

// itemKind tells what an event does to the conversation, if it is journaled.
func itemKind(kind connectors.Kind) (queue.ItemKind, bool) {
	switch kind {
	case connectors.Message:
		return queue.ItemMessage, true
	case connectors.Edit:
		return queue.ItemEdit, true
	case connectors.Unsend:
		return queue.ItemUnsend, true
	case connectors.Close:
		return queue.ItemClose, true
	default:
		return "", false
	}
}

// sort takes an event in, and passes over what agents have no use for. It returns
// the event as it is counted.
func (b *batch) sort(e connectors.Event) connectors.Event {
	if e.Kind == connectors.Message && e.Consumer.ID == "" {
		// Without a sender it would be everybody's conversation.
		e = e.As(connectors.Ignored, "no_consumer")
	}
	if _, journaled := itemKind(e.Kind); journaled || e.Kind == connectors.Broken {
		b.add(e)
	}
	if r, ok := receiptOf(b.route, e); ok {
		b.receipts = append(b.receipts, r)
	}
	return e
}

// add puts an event into its account's queue, and what cannot be worked on among
// the dead letters.
func (b *batch) add(e connectors.Event) {
	switch {
	case e.Kind == connectors.Broken:
		b.bury(e, e.Reason)
		return
	case e.ID == "":
		e.ID = connectors.DigestID(e.Raw)
		b.bury(e, "message without an id")
		return
	case e.MessageID == "" && (e.Kind == connectors.Edit || e.Kind == connectors.Unsend):
		b.bury(e, "event names no message")
		return
	case len(e.Photos) > maxPhotos:
		b.bury(e, "too many photos in one message")
		return
	}
	account, ok := b.route.Account(e.Account)
	j := job{Version: jobVersion, Channel: b.route.Channel.Name, Account: account.Name, ReceivedAt: b.at, Event: e}
	payload, err := encodeJob(j)
	switch {
	case err != nil:
		b.bury(e, "message cannot be written down")
		return
	case len(payload) > queue.MaxPayload:
		b.bury(e, "message larger than any platform allows")
		return
	case !ok:
		// As it would have been journaled, for a retry once there is the account.
		b.keep(e, queue.Letter{
			Cause: fmt.Sprintf("no account with the platform's id %.80q is configured", e.Account), Party: j.party(),
			Content: queue.ContentPayload, Raw: payload,
		})
		return
	}
	item := queue.Item{Key: EventKey(j.Channel, e), Party: j.party(), Digest: said(e), Payload: payload}
	item.Kind, _ = itemKind(e.Kind)
	if b.route.Channel.Withdraws && e.Kind != connectors.Close {
		item.Message = j.message()
	}
	if e.Kind == connectors.Message && len(e.Photos) > 0 {
		item.Lane = Lane(j.Channel, e.Account)
	}
	b.items[account.Queue] = append(b.items[account.Queue], item)
}

// party finds the conversation.
func (j job) party() string { return Party(j.Channel, j.Event.Account, j.Event.Consumer.ID) }

// Party names a consumer of an account as the journal does: a hash of the channel and
// of both by the platform's ids.
func Party(channel, account, consumer string) string { return digest(channel, account, consumer) }

// said is a hash of what a platform repeats unchanged when it delivers an event
// again. References to photos are not: some are signed anew each time.
func said(e connectors.Event) string {
	return digest(string(e.Kind), e.MessageID, e.Consumer.ID, e.Text, e.ReplyTo, strconv.Itoa(len(e.Photos)))[:16]
}

// Lane names an account among those whose photos wait for their turn: by what the
// platform calls it, because a configured name may change meanwhile.
func Lane(channel, account string) string { return digest(channel, account, "lane")[:32] }

// LaneNames are the configured accounts' names by their lanes.
func LaneNames(table *routes.Table) map[string]string {
	names := map[string]string{}
	for _, route := range table.All() {
		for _, a := range route.Accounts {
			names[Lane(route.Channel.Name, a.ID)] = a.Name
		}
	}
	return names
}

// message names the message that the event is or is about, or nothing.
func (j job) message() string {
	if j.Event.MessageID == "" {
		return ""
	}
	return digest(j.Channel, j.Event.Account, "message", j.Event.MessageID)
}

// encodeJob leaves the platform's own text out where it is very long or no JSON:
// it only helps people who look at dead letters.
func encodeJob(j job) ([]byte, error) {
	if len(j.Event.Raw) > maxRaw {
		j.Event.Raw = nil
	}
	payload, err := json.Marshal(j)
	if err != nil && j.Event.Raw != nil {
		j.Event.Raw = nil
		return json.Marshal(j)
	}
	return payload, err
}

// bury keeps the platform's own text of what cannot be worked on.
func (b *batch) bury(e connectors.Event, cause string) {
	letter := queue.Letter{Cause: cause, Content: queue.ContentEvent, Raw: e.Raw}
	if cause == unparsed {
		letter.Content = queue.ContentWebhook
	}
	b.keep(e, letter)
}

// keep puts a letter into its account's queue. One of no account of ours is kept
// with the first of its connector, where an operator will look for it.
func (b *batch) keep(e connectors.Event, letter queue.Letter) {
	account, ok := b.route.Account(e.Account)
	if !ok {
		account = b.route.Accounts[0]
	}
	letter.Key, letter.Connector = EventKey(b.route.Channel.Name, e), b.route.Name
	b.letters[account.Queue] = append(b.letters[account.Queue], letter)
}

// letter returns the letter of that key, if the batch has one for the queue.
func (b *batch) letter(name, key string) *queue.Letter {
	for i, l := range b.letters[name] {
		if l.Key == key {
			return &b.letters[name][i]
		}
	}
	return nil
}

// unparsed is the cause of a letter that is a whole webhook.
const unparsed = "webhook does not parse"

// unreadable is the one event of a webhook whose envelope does not parse. Its raw
// text is the body as it came, which may be no JSON.
func unreadable(body []byte) connectors.Event {
	return connectors.Event{Kind: connectors.Broken, ID: connectors.DigestID(body), Raw: body, Reason: unparsed}
}

// EventKey names the event everywhere outside this process: dedupe, storage,
// logs. It is a hash because ID is the platform's text and may hold "../" or
// worse, and it has no configured name in it, so that renaming doubles nothing.
func EventKey(channel string, e connectors.Event) string { return digest(channel, e.Account, e.ID) }

// digest is a hash over words whose boundaries count: each is preceded by its
// length.
func digest(words ...string) string {
	h := sha256.New()
	for _, w := range words {
		n := len(w)
		h.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		h.Write([]byte(w))
	}
	return hex.EncodeToString(h.Sum(nil))
}

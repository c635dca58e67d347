package inbound

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Origin is who an event in the journal, or in a dead letter, is from.
type Origin struct {
	Channel string
	// AccountID is the platform's id of the account, and Account its name then.
	AccountID, Account string
	// Consumer is the platform's id of who wrote.
	Consumer string
	// Photos are the ids of those that have been developed.
	Photos []string
}

// Party names who wrote, as the journal does.
func (o Origin) Party() string { return Party(o.Channel, o.AccountID, o.Consumer) }

// NoticeKey names the notice about a message of an event.
func NoticeKey(event string) string { return digest("notice", event) }

// OriginOf reads what the journal keeps of an event, also of a newer release's.
func OriginOf(payload []byte) (Origin, error) {
	j, err := decodeJob(payload)
	if err != nil && !errors.Is(err, errNewerJob) {
		return Origin{}, err
	}
	o := Origin{Channel: j.Channel, AccountID: j.Event.Account, Account: j.Account, Consumer: j.Event.Consumer.ID}
	for _, p := range j.Done {
		if p.Status == queue.Ready {
			o.Photos = append(o.Photos, p.ID)
		}
	}
	return o, nil
}

// shortestMention is how long an id must be to be looked for in a text: a shorter one
// would be found anywhere.
const shortestMention = 5

// Mentions tells whether a platform's own text, of which nothing is understood, has a
// consumer's id in it, as JSON or a form writes it.
func Mentions(raw []byte, consumer string) bool {
	if len(consumer) < shortestMention {
		return false
	}
	quoted, err := json.Marshal(consumer)
	if err != nil {
		return false
	}
	for _, word := range []string{consumer, url.QueryEscape(consumer), strings.Trim(string(quoted), `"`)} {
		if hasWord(string(raw), word) {
			return true
		}
	}
	return false
}

// hasWord tells whether a word stands in a text with no letter or digit beside it.
func hasWord(text, word string) bool {
	for {
		before, after, found := strings.Cut(text, word)
		if !found {
			return false
		}
		if !endsInWord(before) && !startsInWord(after) {
			return true
		}
		text = after
	}
}

func endsInWord(s string) bool {
	// What a form has escaped ends in hex digits that are no part of a word.
	if n := len(s); n >= 3 && s[n-3] == '%' {
		return false
	}
	return s != "" && isWord(s[len(s)-1])
}

func startsInWord(s string) bool { return s != "" && isWord(s[0]) }

func isWord(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_'
}

package viber

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/connectors/wire"
)

// The shapes below are the parts that we read and write of Viber's REST API.
// https://developers.viber.com/docs/api/rest-bot-api/
// Everything else, and everything that Viber adds one day, is passed over.

// event is what one call to the webhook tells. There is one in each.
type event struct {
	Event     string                `json:"event"`
	Timestamp wire.Optional[int64]  `json:"timestamp"` // ms
	Token     token                 `json:"message_token"`
	ChatID    any                   `json:"chat_id"` // of any shape; there in groups only
	UserID    wire.Optional[string] `json:"user_id"` // of a receipt
	Sender    sender                `json:"sender"`
	Message   message               `json:"message"`
}

type sender struct {
	ID       string                `json:"id"` // looks like Base64, scoped to the bot
	Name     wire.Optional[string] `json:"name"`
	Language wire.Optional[string] `json:"language"`
}

// message has no id of its own: the event's token names it.
type message struct {
	Type  string                `json:"type"`
	Text  wire.Optional[string] `json:"text"`  // of a text, or the caption of a picture
	Media wire.Optional[string] `json:"media"` // address of the bytes
	Size  wire.Optional[int64]  `json:"size"`
}

// said returns what somebody wrote. A link stands beside the text, or alone.
func (m message) said() string {
	link := m.Media.Value
	if m.Type != "url" || strings.Contains(m.Text.Value, link) {
		return m.Text.Value
	}
	return strings.TrimPrefix(m.Text.Value+"\n"+link, "\n")
}

// outgoing is a text message to one user.
// https://developers.viber.com/docs/api/rest-bot-api/#send-message
type outgoing struct {
	Receiver      string `json:"receiver"`
	MinAPIVersion int    `json:"min_api_version"`
	Sender        struct {
		Name string `json:"name"`
	} `json:"sender"`
	Type string `json:"type"`
	Text string `json:"text"`
}

// webhook is a registration.
// https://developers.viber.com/docs/api/rest-bot-api/#setting-a-webhook
type webhook struct {
	URL        string   `json:"url"`
	EventTypes []string `json:"event_types"`
	SendName   bool     `json:"send_name"`
	SendPhoto  bool     `json:"send_photo"`
}

// answer is what the API says to any call; only the status is always there.
type answer struct {
	Status       *int                    `json:"status"`
	MessageToken token                   `json:"message_token"`
	ID           wire.Optional[string]   `json:"id"`  // of the bot, such as pa:75346594275468546724
	URI          wire.Optional[string]   `json:"uri"` // the bot's own, as in viber://pa?chatURI=
	Webhook      wire.Optional[string]   `json:"webhook"`
	EventTypes   wire.Optional[[]string] `json:"event_types"`
}

// names tells whether account may be the bot that answered.
func (a answer) names(account string) bool {
	id, uri := a.ID.Value, a.URI.Value
	return id == "" && uri == "" || account == id || "pa:"+account == id || strings.EqualFold(account, uri)
}

// misses tells whether the webhook is known not to get one of these events.
func (a answer) misses(types ...string) bool {
	list := a.EventTypes.Value
	return list != nil && slices.ContainsFunc(types, func(t string) bool { return !slices.Contains(list, t) })
}

// token names a message. It is a 64-bit integer above what a float64 holds, so
// it stays the text that it was, written as a number or in quotes. Anything
// else counts as none.
type token string

var tokenForm = regexp.MustCompile(`^-?[0-9]{1,20}$`)

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (t *token) UnmarshalJSON(raw []byte) error {
	var w wire.Word
	_ = json.Unmarshal(raw, &w)
	*t = ""
	if tokenForm.MatchString(string(w)) {
		*t = token(w)
	}
	return nil
}

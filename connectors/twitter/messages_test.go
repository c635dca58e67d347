package twitter_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/twitter"
	"github.com/lightlock/lightlock/connectors/twitter/twittersim"
)

// payload is a message as X's documentation shows it, in full.
const payload = `{"type":"message_create","id":"1900000000000000001","created_timestamp":"1755000000123",
  "message_create":{"target":{"recipient_id":"1000000000000000001"},"sender_id":"2000000000000000002","source_app_id":"268278",
   "message_data":{"text":"broken on arrival &amp; dirty https://t.co/AbCdEfGhIj",
    "entities":{"hashtags":[],"symbols":[],"user_mentions":[],"urls":[{"url":"https://t.co/AbCdEfGhIj","expanded_url":"https://twitter.com/messages/media/1900000000000000001","display_url":"pic.twitter.com/AbCdEfGhIj","indices":[30,53]}]},
    "attachment":{"type":"media","media":{"id":1900000000000000002,"id_str":"1900000000000000002","type":"photo",
     "media_url":"` + photoURL + `","media_url_https":"` + photoURL + `",
     "url":"https://t.co/AbCdEfGhIj","indices":[30,53],
     "sizes":{"thumb":{"w":150,"h":150,"resize":"crop"},"large":{"w":2048,"h":1536,"resize":"fit"}}}}}}}`

// Both shapes of a webhook hold the same message.
func TestParseShapes(t *testing.T) {
	want := connectors.Event{
		Kind: connectors.Message, ID: messageID, MessageID: messageID, Account: accountID,
		Consumer: connectors.Consumer{ID: consumerID, Name: "Ana"},
		SentAt:   time.Date(2025, time.August, 12, 12, 0, 0, 123e6, time.UTC),
		Text:     "broken on arrival & dirty", Photos: []connectors.Photo{{Account: accountID, Ref: photoURL}},
		Raw: []byte(payload),
	}
	for name, body := range map[string]string{
		"Account Activity API": `{"for_user_id":"1000000000000000001","direct_message_events":[` + payload + `],
			"apps":{"268278":{"id":"268278","name":"Twitter Web Client","url":"https://x.com"}},
			"users":{"2000000000000000002":{"id":"2000000000000000002","name":"Ana","screen_name":"ana"}}}`,
		"X Activity API": activity("dm.received", `{"direct_message_events":[`+payload+`],
			"users":{"2000000000000000002":{"data":{"id":"2000000000000000002","name":"Ana","username":"ana"}}}}`),
	} {
		if got := one(t, body); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %s, want %s", name, toJSON(t, got), toJSON(t, want))
		}
	}
}

func TestParseText(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"plain":                 {"hello", "hello"},
		"blanks are kept":       {" two\n lines ", " two\n lines "},
		"escaped":               {"a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#39;", `a & b <c> "d" 'e'`},
		"escaped once":          {"&amp;amp; &amp;lt;b&amp;gt;", "&amp; &lt;b&gt;"},
		"a link of their own":   {"see https://t.co/QwErTyUiOp", "see https://t.co/QwErTyUiOp"},
		"an address in a query": {"https://x.example/?a=1&amp;copy=2", "https://x.example/?a=1&copy=2"},
	} {
		got := one(t, lists(message("1", fmt.Sprintf(`{"text":%q,"entities":{}}`, row.text))))
		if got.Kind != connectors.Message || got.Text != row.want || len(got.Photos) != 0 {
			t.Errorf("%s: got %s, want text %q", name, toJSON(t, got), row.want)
		}
	}
}

// X puts a link to the attachment behind the text. It alone is cut.
func TestParseCaption(t *testing.T) {
	const link = "https://t.co/AbCdEfGhIj"
	for name, row := range map[string]struct{ text, want string }{
		"only the link":               {" " + link, ""},
		"only the link, no blank":     {link, ""},
		"text and link":               {"my leaf " + link, "my leaf"},
		"text with another link":      {"https://t.co/QwErTyUiOp " + link, "https://t.co/QwErTyUiOp"},
		"another link behind it":      {link + " https://t.co/QwErTyUiOp", link + " https://t.co/QwErTyUiOp"},
		"the link twice":              {link + " " + link, link},
		"a link that begins like it":  {"see " + link + "x", "see " + link + "x"},
		"escaped text":                {"a &amp; b " + link, "a & b"},
		"no link at all":              {"my leaf", "my leaf"},
		"blanks behind it":            {"my leaf " + link + " \n", "my leaf"},
		"lines are kept":              {"one\ntwo\n" + link, "one\ntwo"},
		"a text that names an entity": {"&amp;lt; " + link, "&lt;"},
	} {
		got := one(t, lists(message("1", media(row.text, "photo"))))
		if got.Kind != connectors.Message || got.Text != row.want || len(got.Photos) != 1 {
			t.Errorf("%s: got %s, want text %q and a photo", name, toJSON(t, got), row.want)
		}
	}
}

// Only a photo is one. What was said beside another attachment still arrives.
func TestParseAttachments(t *testing.T) {
	location := `{"text":%q,"attachment":{"type":"location","location":{"type":"shared_coordinate","shared_coordinate":{"coordinates":{"type":"Point","coordinates":[1.5,2.5]}}}}}`
	for name, row := range map[string]struct{ data, reason, text string }{
		"video":              {media(" https://t.co/AbCdEfGhIj", "video"), "video", ""},
		"video and text":     {media("look https://t.co/AbCdEfGhIj", "video"), "", "look"},
		"animated":           {media(" https://t.co/AbCdEfGhIj", "animated_gif"), "animated_gif", ""},
		"animated and text":  {media("look https://t.co/AbCdEfGhIj", "animated_gif"), "", "look"},
		"location":           {fmt.Sprintf(location, ""), "location", ""},
		"location and text":  {fmt.Sprintf(location, "here"), "", "here"},
		"of tomorrow":        {media(" https://t.co/AbCdEfGhIj", "hologram"), "unknown_attachment", ""},
		"of tomorrow, text":  {media("look https://t.co/AbCdEfGhIj", "hologram"), "", "look"},
		"no media":           {`{"text":"","attachment":{"type":"card"}}`, "unknown_attachment", ""},
		"no attachment":      {`{"text":"x","attachment":null}`, "", "x"},
		"quick reply":        {`{"text":"Yes","quick_reply_response":{"type":"options","metadata":"m"}}`, "", "Yes"},
		"shared post":        {`{"text":"https://t.co/QwErTyUiOp","entities":{"urls":[{"url":"https://t.co/QwErTyUiOp","expanded_url":"https://x.com/a/status/1"}]}}`, "", "https://t.co/QwErTyUiOp"},
		"initiated via":      {`{"text":"x","initiated_via":{"tweet_id":"1"}}`, "", "x"},
		"entities of a kind": {`{"text":"x","entities":5}`, "", "x"},
	} {
		got := one(t, lists(message("1", row.data)))
		want := connectors.Message
		if row.reason != "" {
			want = connectors.Ignored
		}
		if got.Kind != want || got.Reason != row.reason || got.Text != row.text || len(got.Photos) != 0 {
			t.Errorf("%s: got %s, want %s %q with text %q", name, toJSON(t, got), want, row.reason, row.text)
		}
	}
}

// The number in "id" is beyond what a float holds, and a real one was rounded.
// Nothing but the address decides which medium is fetched.
func TestParseMediaID(t *testing.T) {
	for _, id := range []string{`1900000000000000002`, `9.300778475358126e17`, `"x"`, `null`, `{}`, `-1`} {
		data := strings.Replace(media("x https://t.co/AbCdEfGhIj", "photo"), `"id":1900000000000000002`, `"id":`+id, 1)
		got := one(t, lists(message("1", data)))
		if len(got.Photos) != 1 || got.Photos[0].Ref != photoURL || got.Text != "x" {
			t.Errorf("id %s: got %s, want the photo at its address", id, toJSON(t, got))
		}
	}
}

func TestParsePhotoAddress(t *testing.T) {
	with := func(old, change string) connectors.Event {
		return one(t, lists(message("1", strings.Replace(media("x https://t.co/AbCdEfGhIj", "photo"), old, change, 1))))
	}
	for name, got := range map[string]connectors.Event{
		"only media_url": with(`"media_url_https":"`+photoURL+`"`, `"media_url_https":null`),
		"only https":     with(`"media_url":"`+photoURL+`"`, `"media_url":""`),
		"no type":        with(`"type":"photo",`, ""),
		"odd beside it":  with(`"media_url":"`+photoURL+`"`, `"media_url":{}`),
	} {
		if len(got.Photos) != 1 || got.Photos[0].Ref != photoURL {
			t.Errorf("%s: got %s, want the photo", name, toJSON(t, got))
		}
	}
	long := "https://ton.twitter.com/" + strings.Repeat("a", 2000)
	for name, got := range map[string]connectors.Event{
		"none": with(`"media_url":"`+photoURL+`","media_url_https":"`+photoURL+`"`, `"sizes":{}`),
		"long": with(`"media_url_https":"`+photoURL+`"`, `"media_url_https":"`+long+`"`),
	} {
		// The text arrives, and beside it that there was a photo.
		if got.Kind != connectors.Message || got.Text != "x" || len(got.Photos) != 1 || got.Photos[0].Ref != "" {
			t.Errorf("%s: got %s, want the text and a photo nowhere", name, toJSON(t, got))
		}
	}
	alone := one(t, lists(message("1", strings.ReplaceAll(media("https://t.co/AbCdEfGhIj", "photo"), photoURL, ""))))
	if alone.Kind != connectors.Broken || alone.Reason != "photo has no usable address" || len(alone.Photos) != 0 {
		t.Errorf("got %s without a text, want it broken", toJSON(t, alone))
	}
	// A host of tomorrow costs the photo and not the text.
	got := with(`"media_url_https":"`+photoURL, `"media_url_https":"https://ton.example.com/x.jpg`)
	if got.Kind != connectors.Message || got.Text != "x" || len(got.Photos) != 1 {
		t.Errorf("another host: got %s, want the message", toJSON(t, got))
	}
}

// Several photos are several messages without a common id.
func TestParseSeveralPhotos(t *testing.T) {
	p, c := start(t)
	s := said("three")
	s.Text, s.Photos = "3 < 4 & more", [][]byte{[]byte(jpeg + "1"), []byte(jpeg + "2"), []byte(jpeg + "3")}
	events := heard(t, p, c, s)
	if len(events) != 3 || events[0].Text != s.Text || events[1].Text != "" || events[2].Text != "" {
		t.Fatalf("got %s, want three messages, the first with the text", toJSON(t, events))
	}
	for i, e := range events {
		if e.Album != nil || e.MessageID != twittersim.MessageID("three", fmt.Sprint("photo", i)) {
			t.Errorf("photo %d: got %s, want a message of its own", i, toJSON(t, e))
		}
		if got, err := fetch(c, e.Photos[0]); err != nil || got != string(s.Photos[i]) {
			t.Errorf("photo %d: got %q, %v", i, got, err)
		}
	}
}

// What the business itself has said comes back, and must not be answered.
func TestParseEchoes(t *testing.T) {
	text := `{"text":"x"}`
	for name, body := range map[string]string{
		"of the account":                   lists(messageFrom(accountID, "1", "268278", text)),
		"of our app":                       lists(messageFrom(consumerID, "1", appID, text)),
		"of both":                          lists(messageFrom(accountID, "1", appID, text)),
		"in the other shape":               activity("dm.received", `{"direct_message_events":[`+messageFrom(accountID, "1", appID, text)+`]}`),
		"an activity of its own":           activity("dm.sent", `{"direct_message_events":[`+messageFrom(accountID, "1", appID, text)+`]}`),
		"encrypted":                        activity("chat.sent", `{"encoded_event":"x"}`),
		"of the account, its text missing": lists(messageFrom(accountID, "1", "268278", `{"text":{}}`)),
	} {
		if got := one(t, body); got.Kind != connectors.Ignored || got.Reason != "echo" || got.Account != accountID {
			t.Errorf("%s: got %s, want an ignored echo", name, toJSON(t, got))
		}
	}
	// Without the app's id only the sender tells; an empty one is nobody's.
	s := settings()
	s.SourceAppID = ""
	for _, app := range []string{"", appID} {
		got, err := connect(t, s).Parse(post(lists(messageFrom(consumerID, "1", app, text)), "X", ""))
		if err != nil || got[0].Kind != connectors.Message {
			t.Errorf("app %q: got %s, %v, want a message", app, toJSON(t, got), err)
		}
	}
}

// Where both parties are accounts of ours, X delivers a message to each. To the
// one it is an echo, to the other a message, and both are kept apart by the
// account.
func TestParseTwoAccounts(t *testing.T) {
	s := settings()
	second := s.Accounts[0]
	second.ID, second.Name, s.Accounts[0].Name = consumerID, "second", "first"
	s.Accounts = append(s.Accounts, second)
	c := connect(t, s)
	m := messageFrom(consumerID, messageID, "268278", `{"text":"x"}`)
	for account, want := range map[string]connectors.Kind{accountID: connectors.Message, consumerID: connectors.Ignored} {
		body := strings.Replace(lists(m), `"for_user_id":"`+accountID, `"for_user_id":"`+account, 1)
		got, err := c.Parse(post(body, "X", ""))
		if err != nil || len(got) != 1 || got[0].Kind != want || got[0].Account != account || got[0].ID != messageID {
			t.Errorf("for %s: got %s, %v, want %s", account, toJSON(t, got), err, want)
		}
	}
}

// A consumer's message from another account than the configured ones is the
// gateway's decision.
func TestParseOtherAccount(t *testing.T) {
	body := strings.Replace(lists(message("1", media("x", "photo"))), `"for_user_id":"`+accountID, `"for_user_id":"77`, 1)
	got := one(t, body)
	if got.Account != "77" || got.Photos[0].Account != "77" {
		t.Errorf("got %s, want account 77", toJSON(t, got))
	}
	wantKind(t, "Fetch", fetchError(connect(t, settings()), got.Photos[0]), connectors.Misconfigured)
}

// A webhook that names no account is for the recipient of the message.
func TestParseWithoutAccount(t *testing.T) {
	got := one(t, strings.Replace(lists(message("1", media("x", "photo"))), `"for_user_id":"`+accountID+`",`, "", 1))
	if got.Kind != connectors.Message || got.Account != accountID || got.Photos[0].Account != accountID {
		t.Errorf("got %s, want the recipient's", toJSON(t, got))
	}
}

func TestParseNamesAndTimes(t *testing.T) {
	with := func(old, change string) connectors.Event {
		return one(t, strings.Replace(lists(message("1", `{"text":"x"}`)), old, change, 1))
	}
	for name, row := range map[string]struct {
		got   connectors.Event
		name  string
		timed bool
	}{
		"as documented":          {with("", ""), "Ana", true},
		"a number":               {with(`"1755000000123"`, `1755000000123`), "Ana", true},
		"no time":                {with(`"1755000000123"`, `null`), "Ana", false},
		"a time of no clock":     {with(`"1755000000123"`, `"-99999999999999999999999"`), "Ana", false},
		"a time that is none":    {with(`"1755000000123"`, `{"a":[]}`), "Ana", false},
		"another target":         {with(`{"recipient_id":"`+accountID+`"}`, `5`), "Ana", true},
		"another app":            {with(`"268278"`, `{}`), "Ana", true},
		"users of another shape": {with(`"users":{`, `"users":5,"x":{`), "", true},
		"a user of another kind": {with(`{"id":"`+consumerID+`","name":"Ana","screen_name":"ana"}`, `["Ana"]`), "", true},
		"a name of another kind": {with(`"name":"Ana"`, `"name":{}`), "", true},
	} {
		if row.got.Kind != connectors.Message || row.got.Consumer.Name != row.name || row.got.SentAt.IsZero() == row.timed || row.got.Text != "x" {
			t.Errorf("%s: got %s, want name %q and time %v", name, toJSON(t, row.got), row.name, row.timed)
		}
	}
}

// Ids beyond 2^53 are kept digit by digit, as text or as number.
func TestParseLargeIDs(t *testing.T) {
	body := strings.NewReplacer(`"id":"9007199254740993"`, `"id":9007199254740993`, `"sender_id":"`+consumerID+`"`, `"sender_id":2000000000000000002`).
		Replace(lists(message("9007199254740993", `{"text":"x"}`)))
	if got := one(t, body); got.ID != "9007199254740993" || got.Consumer.ID != consumerID {
		t.Errorf("got %s, want both ids exact", toJSON(t, got))
	}
}

var _ connectors.Connector = (*twitter.Connector)(nil)

// Many messages may be one person's, of whom X may tell a lot. Read anew for each
// of them, that would take longer than a test may.
func TestParseManyMessagesOfOne(t *testing.T) {
	said := strings.Repeat(message("1", `{"text":"x"}`)+",", 9_000)
	person := `{"name":"Ana","description":"` + strings.Repeat("x", 2<<20) + `"}`
	got := parse(t, `{"for_user_id":"`+accountID+`","direct_message_events":[`+strings.TrimSuffix(said, ",")+`],"users":{"`+consumerID+`":`+person+`}}`)
	if len(got) != 9_000 || got[8_999].Consumer.Name != "Ana" {
		t.Errorf("got %d messages, want 9000 of Ana", len(got))
	}
}

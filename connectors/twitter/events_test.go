package twitter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/connectors"
)

// families are the lists of events of the Account Activity API, and its events
// that belong to no account.
func families() map[string]string {
	of := func(name, value string) string {
		return fmt.Sprintf(`{"for_user_id":%q,%q:%s}`, accountID, name, value)
	}
	return map[string]string{
		"direct_message_indicate_typing_events": of("direct_message_indicate_typing_events", `[{"created_timestamp":"1","sender_id":"2","target":{"recipient_id":"1"}}]`),
		"direct_message_mark_read_events":       of("direct_message_mark_read_events", `[{"created_timestamp":"1","sender_id":"2","last_read_event_id":"3"}]`),
		"tweet_create_events":                   of("tweet_create_events", `[{"id_str":"1","text":"hello","user":{"id_str":"2"}}]`),
		"tweet_delete_events":                   of("tweet_delete_events", `[{"status":{"id":"1","user_id":"2"},"timestamp_ms":"1"}]`),
		"favorite_events":                       of("favorite_events", `[{"id":"1"}]`),
		"follow_events":                         of("follow_events", `[{"type":"follow"}]`),
		"unfollow_events":                       of("unfollow_events", `[]`),
		"block_events":                          of("block_events", `[{"type":"block"}]`),
		"unblock_events":                        of("unblock_events", `[{"type":"unblock"}]`),
		"mute_events":                           of("mute_events", `[{"type":"mute"}]`),
		"unmute_events":                         of("unmute_events", `5`),
		"user_event":                            `{"user_event":{"revoke":{"date_time":"2018-05-24T09:48:12+00:00","target":{"app_id":"13090192"},"source":{"user_id":"63046977"}}}}`,
		"replay_job_status":                     `{"replay_job_status":{"webhook_id":"1","job_state":"Complete","job_state_description":"Job completed successfully","job_id":"2"}}`,
		"unknown_event_type":                    of("hologram_events", `[{}]`),
	}
}

// activities are the types of activity that bring no message.
func activities() map[string]string {
	return map[string]string{
		"dm.read": "dm.read", "dm.indicate_typing": "dm.indicate_typing", "oauth.revoke": "oauth.revoke",
		"chat.conversation_join": "chat.conversation_join", "follow.follow": "unknown_event_type", "post.create": "unknown_event_type",
		"hologram": "unknown_event_type",
	}
}

func TestParsePassesOver(t *testing.T) {
	for reason, body := range families() {
		if got := one(t, body); got.Kind != connectors.Ignored || got.Reason != reason {
			t.Errorf("%s: got %s, want it ignored by its name", reason, toJSON(t, got))
		}
	}
	for kind, reason := range activities() {
		for _, payload := range []string{`{"x":1}`, `5`, `null`} {
			got := one(t, activity(kind, payload))
			if got.Kind != connectors.Ignored || got.Reason != reason || got.ID != "-6850000000000000000" || got.Account != accountID {
				t.Errorf("%s: got %s, want it ignored as %s", kind, toJSON(t, got), reason)
			}
		}
	}
	for _, body := range []string{`{}`, `{"for_user_id":"1"}`, `{"for_user_id":"1","follow_events":null}`, `{"hologram":{}}`, `{"users":{},"apps":{}}`} {
		if got := one(t, body); got.Kind != connectors.Ignored || got.Reason != "unknown_event_type" {
			t.Errorf("%s: got %s, want it ignored", body, toJSON(t, got))
		}
	}
}

// An account that takes its permission back is named in the event alone.
func TestParseRevokeHasNoAccount(t *testing.T) {
	if got := one(t, families()["user_event"]); got.Account != "" || got.Kind != connectors.Ignored {
		t.Errorf("got %s, want it ignored and no account", toJSON(t, got))
	}
}

func TestParseReasonsAreFew(t *testing.T) {
	reasons := map[string]bool{}
	for i := range 200 {
		strange := fmt.Sprintf("stranger%d", i)
		for _, body := range []string{
			fmt.Sprintf(`{"for_user_id":"1","%s_events":[]}`, strange), fmt.Sprintf(`{%q:[]}`, strange), activity(strange, `{}`),
			lists(strings.Replace(message("1", `{"text":"x"}`), "message_create", strange, 1)), lists(message("1", media("", strange))),
		} {
			reasons[one(t, body).Reason] = true
		}
	}
	if len(reasons) != 3 {
		t.Errorf("got reasons %v, want three", reasons)
	}
}

// What X encrypts cannot be read, and must not vanish without a trace.
func TestParseEncryptedChat(t *testing.T) {
	for _, kind := range []string{"chat.received", "chat.hologram"} {
		raw := activity(kind, `{"encoded_event":"CAES","conversation_key_change_event":"x","conversation_token":"t","conversation_id":"1-2"}`)
		got := one(t, raw)
		if got.Kind != connectors.Broken || got.Reason != "encrypted chat cannot be read" || got.ID != "-6850000000000000000" || got.Account != accountID {
			t.Errorf("%s: got %s, want it broken with the reason", kind, toJSON(t, got))
		}
		if !strings.Contains(raw, string(got.Raw)) || !strings.Contains(string(got.Raw), "CAES") {
			t.Errorf("%s: got raw %s, want X's own text", kind, got.Raw)
		}
	}
}

// X renamed the types of activity once. A message under a name of tomorrow is
// one all the same.
func TestParseRenamedActivity(t *testing.T) {
	for _, kind := range []string{"DMReceived", "dm.delivered"} {
		got := one(t, activity(kind, `{"direct_message_events":[`+message("1", `{"text":"x"}`)+`]}`))
		if got.Kind != connectors.Message || got.Text != "x" || got.Account != accountID {
			t.Errorf("%s: got %s, want the message", kind, toJSON(t, got))
		}
	}
}

// A message that cannot be read is kept as broken; what is beside it goes on.
func TestParseBroken(t *testing.T) {
	good := message("7", `{"text":"x"}`)
	for _, bad := range []string{
		`5`, `"x"`, `[]`, `true`, `null`, `{}`, `{"type":5.5}`,
		`{"type":"message_create","id":"bad"}`, `{"type":"message_create","id":"bad","message_create":null}`,
		`{"type":"message_create","id":"bad","message_create":[]}`,
		message("", `{"text":"x"}`), message("bad", `5`), message("bad", `{"text":5}`), message("bad", `{"text":{}}`), message("bad", `{}`),
		message("bad", `{"text":""}`), message("bad", `{"text":"x","attachment":5}`), message("bad", `{"text":"x","attachment":{}}`),
		message("bad", `{"text":"x","attachment":{"type":"media"}}`), message("bad", `{"text":"x","attachment":{"type":"media","media":[]}}`),
		message("bad", `{"text":"x","attachment":{"type":"media","media":{"type":{}}}}`),
	} {
		got := parse(t, lists(good, bad, good))
		if len(got) != 3 || got[1].Kind != connectors.Broken || got[1].Reason == "" || string(got[1].Raw) != bad || got[1].Account != accountID {
			t.Errorf("%s: got %s, want broken with its raw text", bad, toJSON(t, got))
			continue
		}
		if strings.Contains(bad, `"bad"`) && got[1].ID != "bad" {
			t.Errorf("%s: got ID %q, want the platform's", bad, got[1].ID)
		}
		if got[0].Kind != connectors.Message || got[2].Kind != connectors.Message {
			t.Errorf("%s: harmed its neighbours: %s", bad, toJSON(t, got))
		}
	}
	for _, body := range []string{
		`{"for_user_id":"1","direct_message_events":5}`, `{"for_user_id":"1","direct_message_events":{"a":1}}`,
		`{"data":5}`, `{"data":null}`, `{"data":{}}`, `{"data":[]}`, activity("dm.received", `{}`), activity("dm.received", `5`),
		activity("dm.received", `{"direct_message_events":{}}`), `{"data":{"event_type":5.5}}`,
	} {
		if got := one(t, body); got.Kind != connectors.Broken || got.Reason == "" {
			t.Errorf("%s: got %s, want it broken", body, toJSON(t, got))
		}
	}
}

func TestParseNoConsumer(t *testing.T) {
	got := one(t, lists(messageFrom("", "1", "268278", `{"text":"x"}`)))
	if got.Kind != connectors.Ignored || got.Reason != "no_consumer" {
		t.Errorf("got %s, want it ignored", toJSON(t, got))
	}
}

func TestParseEnvelope(t *testing.T) {
	c := connect(t, settings())
	for _, body := range []string{"", "x", "null", "[]", `"x"`, "5", `{"for_user_id":"1"`, `{"direct_message_events":[{]}`, emptyBody + "x"} {
		_, err := c.Parse(post(body, "X", ""))
		wantKind(t, "body "+body, err, connectors.Malformed)
	}
	for _, body := range []string{emptyBody, `{"for_user_id":"1","direct_message_events":null}`, activity("dm.received", `{"direct_message_events":[]}`)} {
		if events := parse(t, body); len(events) != 0 {
			t.Errorf("body %s: got %s, want no events", body, toJSON(t, events))
		}
	}
}

// One call may hold several messages, and events of other kinds beside them.
func TestParseBatch(t *testing.T) {
	body := strings.Replace(lists(message("1", `{"text":"a"}`), messageFrom("3", "2", "268278", `{"text":"b"}`), messageFrom(accountID, "3", appID, `{"text":"c"}`)),
		`"users":`, `"follow_events":[{}],"block_events":null,"hologram_events":[],"users":`, 1)
	got := parse(t, body)
	var kinds []string
	for _, e := range got {
		kinds = append(kinds, string(e.Kind)+" "+e.Reason+e.Text)
	}
	if want := "message a|message b|ignored echo|ignored follow_events|ignored unknown_event_type"; strings.Join(kinds, "|") != want {
		t.Errorf("got %q, want %q", kinds, want)
	}
}

// A replay sends old events again, in either shape. They keep their ids.
func TestParseRedelivery(t *testing.T) {
	m := message(messageID, `{"text":"x"}`)
	first, again := one(t, lists(m)), one(t, activity("dm.received", `{"direct_message_events":[`+m+`]}`))
	if first.ID != messageID || again.ID != first.ID || again.Account != first.Account {
		t.Errorf("got ids %q and %q of accounts %q and %q, want the same", first.ID, again.ID, first.Account, again.Account)
	}
}

// Without an id of its own an event is known by its bytes.
func TestParseWithoutAnyID(t *testing.T) {
	one, two := parse(t, lists(`{"type":"hologram","n":1}`, `{"type":"hologram","n":2}`))[0], parse(t, lists(`{"type":"hologram","n":2}`))[0]
	if one.ID != connectors.DigestID([]byte(`{"type":"hologram","n":1}`)) || one.ID == two.ID {
		t.Errorf("got IDs %q and %q, want digests of the events", one.ID, two.ID)
	}
}

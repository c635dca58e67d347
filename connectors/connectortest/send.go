package connectortest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// sendChecks are about messages to consumers.
func sendChecks() []check {
	return []check{
		{"send_text", "the consumer gets exactly the text, and Send returns the platform's id of it", speaking(checkSendText)},
		{"send_long", "a text that is too long or empty is Refused without a call, and none is cut", speaking(checkSendLong)},
		{"send_repeat", "the same Key twice is one message where the channel says Resend, and no failure elsewhere", speaking(checkSendRepeat)},
		{"send_account", "an account that is not configured is Misconfigured or Refused, without a call", speaking(checkSendAccount)},
		{"send_accounts", "of two accounts the right one speaks, with its own credentials", speaking(checkSendAccounts)},
		{"send_consumer", "a consumer whom the platform does not know is Refused or Gone, and nobody else gets the message", speaking(checkSendConsumer)},
		{"send_reply_token", "a reply token is used once, and without a good one the message arrives all the same", speaking(checkSendReplyToken)},
		{"send_concurrent", "Send may be called from many goroutines at once", speaking(checkSendConcurrent)},
	}
}

// sayings returns texts that platforms and encoders like to change, and the
// longest ones.
func sayings(limit int) []string {
	emoji := strings.Repeat("\U0001F4F7", limit/2) + strings.Repeat("x", limit%2)
	return []string{
		"hello", "two\nlines\n\nand four", `\u5199 \/ "quoted" <b>&amp;</b> </script>`, "写 \U0001F4F7 \u202eabc e\u0301\u2028\u00a0.",
		"1+1=2 %2B &a=b;c %zz", `{"text":"x"}`, "https://example.com/?a=b&c=d#e", "*bold* _it_ ~no~ `code` @you #it",
		strings.Repeat("a", limit), strings.Repeat("写", limit), emoji,
	}
}

func checkSendText(d dialogue) error {
	seen := map[string]bool{}
	for i, words := range sayings(d.subject.Channel.Texts.Limit) {
		o := d.answer(words)
		// Who wrote it and what it answers make no difference to the words.
		o.Automatic = i%2 == 1
		if i%3 == 2 {
			o.ReplyTo = d.heard.MessageID
		}
		id, err := d.connector.Send(d.ctx, o)
		if err != nil {
			return fmt.Errorf("text of %d units, %.50q: %w", connectors.Length(words), words, err)
		}
		want, err := d.arrived(i+1, o)
		if err == nil && (id != want || id != "" && seen[id]) {
			err = fmt.Errorf("got id %q, want %q, and none twice", id, want)
		}
		if err != nil {
			return err
		}
		seen[id] = true
	}
	return nil
}

func checkSendLong(d dialogue) error {
	limit := d.subject.Channel.Texts.Limit
	calls := d.counting()
	for what, words := range map[string]string{
		"no text":                          "",
		"one unit more than the limit":     strings.Repeat("a", limit+1),
		"one unit more, in pairs":          strings.Repeat("\U0001F4F7", limit/2+1),
		"one unit more, the last one only": strings.Repeat("a", limit-1) + "\U0001F4F7",
		"ten times the limit":              strings.Repeat("long ", 2*limit),
	} {
		_, err := d.connector.Send(d.ctx, d.answer(words))
		if err := refusal(err, connectors.Refused); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return d.silence(calls)
}

// refusal returns an error unless err has one of the kinds and says that
// nothing was sent.
func refusal(err error, kinds ...connectors.ErrorKind) error {
	if found := wantKind(err, kinds...); found != nil {
		return found
	}
	if connectors.UnsureOf(err) {
		return fmt.Errorf("got %w, which is Unsure, though nothing can have been sent", err)
	}
	return nil
}

func checkSendRepeat(d dialogue) error {
	first, other := d.answer("the same"), d.answer("the same")
	var ids []string
	for _, o := range []connectors.Outgoing{first, first, other, first} {
		id, err := d.connector.Send(d.ctx, o)
		if err != nil {
			return fmt.Errorf("message %d: %w", len(ids)+1, err)
		}
		ids = append(ids, id)
	}
	sent := d.platform.Sent()
	if !d.subject.Channel.Texts.Resend {
		return nil
	}
	if len(sent) != 2 {
		return fmt.Errorf("the consumer got %d messages for two keys, want 2", len(sent))
	}
	if id := ids[1]; id != "" && id != ids[0] || ids[2] == ids[0] && id != "" {
		return fmt.Errorf("got ids %q, want the repeats to have the first one's or none", ids)
	}
	return nil
}

func checkSendAccount(d dialogue) error {
	calls := d.counting()
	for _, account := range []string{"", "nobody", d.heard.Account + "0", otherID(d.heard.Account)} {
		o := d.answer("an answer")
		o.Account = account
		_, err := d.connector.Send(d.ctx, o)
		if err := refusal(err, connectors.Misconfigured, connectors.Refused); err != nil {
			return fmt.Errorf("account %q, which is not configured: %w", account, err)
		}
	}
	return d.silence(calls)
}

// checkSendAccounts lets two accounts speak, of which the platform knows one.
func checkSendAccounts(d dialogue) error {
	s := d.platform.Settings("acme", "support")
	decoy, err := withDecoy(s)
	if err != nil {
		return err
	}
	c, err := d.build(s, time.Now)
	if err != nil {
		return fmt.Errorf("settings with two accounts: %w", err)
	}
	dumps := d.seen()
	known, strange := d.answer("from the second of two"), d.answer("from the first of two")
	strange.Account = decoy.ID
	if _, err := c.Send(d.ctx, known); err != nil {
		return fmt.Errorf("the second of two accounts: %w", err)
	}
	if _, err := d.arrived(1, known); err != nil {
		return err
	}
	if err := ownSecrets(s, 0).in("a call for the second account", strings.Join(dumps(), "\n")); err != nil {
		return err
	}
	before := len(dumps())
	_, err = c.Send(d.ctx, strange)
	if err := ownSecrets(s, 1).in("a call for the first account", strings.Join(dumps()[before:], "\n")); err != nil {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // The platform knows no such account, and said so.
	}
	if sent := d.platform.Sent(); len(sent) != 2 || sent[1].Account != decoy.ID {
		return fmt.Errorf("the first of two accounts spoke: got messages %+v, want one of %s", sent, decoy.ID)
	}
	return nil
}

// checkSendConsumer writes to ids that are nobody's. Some would be another
// address if they were put into one as they are.
func checkSendConsumer(d dialogue) error {
	consumer := d.heard.Consumer.ID
	for _, id := range []string{
		"", " ", "nobody", "..", "../../x", consumer + "/../" + consumer, consumer + "?x=y", consumer + "#x", "%2e%2e", consumer + "%00",
		consumer + "\r\nX-Evil: 1", consumer + "\x00", `","x":"`, strings.Repeat("9", 1<<16),
	} {
		o := d.answer("for nobody")
		o.Consumer = id
		_, err := d.connector.Send(d.ctx, o)
		if err := refusal(err, connectors.Refused, connectors.Gone); err != nil {
			return fmt.Errorf("consumer %.60q, who is nobody: %w", id, err)
		}
		if sent := d.platform.Sent(); len(sent) != 0 {
			return fmt.Errorf("consumer %.60q, who is nobody: somebody got %.300q", id, fmt.Sprint(sent))
		}
	}
	return nil
}

func checkSendReplyToken(d dialogue) error {
	token := d.heard.ReplyToken
	if d.subject.Channel.Texts.TokenLife == 0 {
		if token != "" {
			return errors.New("got a ReplyToken, though the channel's TokenLife says that there are none")
		}
		return nil
	}
	if token == "" {
		return fmt.Errorf("got no ReplyToken in %s", show([]connectors.Event{d.heard}))
	}
	for i, row := range []struct{ what, token string }{
		{"a fresh token", token}, {"a token that is used up", token}, {"a token that nobody knows", strings.Repeat("0", len(token))},
		{"a token that is none", "x\r\n\"}"}, {"no token", ""},
	} {
		o := d.answer(row.what)
		o.ReplyToken = row.token
		_, err := d.connector.Send(d.ctx, o)
		if err == nil {
			_, err = d.arrived(i+1, o)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", row.what, err)
		}
	}
	return nil
}

func checkSendConcurrent(d dialogue) error {
	var all sync.WaitGroup
	errs, want := make([]error, 6), map[string]int{}
	repeated := d.answer("repeated")
	for i := range errs {
		o := d.answer(fmt.Sprint("answer ", i))
		want[o.Text] = 1
		all.Go(func() {
			_, err := d.connector.Send(d.ctx, o)
			errs[i] = err
			if err == nil && d.subject.Channel.Texts.Resend {
				_, errs[i] = d.connector.Send(d.ctx, repeated)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if d.subject.Channel.Texts.Resend {
		want[repeated.Text] = 1
	}
	for _, s := range d.platform.Sent() {
		want[s.Text]--
	}
	for words, missing := range want {
		if missing != 0 {
			return fmt.Errorf("consumers got %q %d times too few", words, missing)
		}
	}
	return nil
}

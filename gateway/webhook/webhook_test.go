package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/gateway/webhook"
)

func TestEachPlatformIsAnsweredInItsOwnWords(t *testing.T) {
	x := open(t)
	for _, test := range []struct {
		webhook     func(string, ...sim.Said) ([]*connectors.Request, error)
		path        string
		contentType string
		body        string
	}{
		{x.line.Webhook, "/webhooks/line/acme", "", ""},
		{x.whatsapp.Webhook, "/webhooks/whatsapp/acme", "", ""},
		{x.twilio.Webhook, "/webhooks/twilio/acme", "text/xml", "<Response"},
	} {
		calls, err := test.webhook(base+test.path, said("a"))
		if err != nil {
			t.Fatal(err)
		}
		got := x.post(calls[0])
		x.want(test.path, got, http.StatusOK)
		if !strings.HasPrefix(got.header.Get("Content-Type"), test.contentType) || !strings.Contains(got.body, test.body) || test.body == "" && got.body != "" {
			t.Errorf("%s: answered %q %q, want %q with %q", test.path, got.header.Get("Content-Type"), got.body, test.contentType, test.body)
		}
	}
	if got := x.waiting(); got != 3 {
		t.Errorf("%d messages are waiting, want 3", got)
	}
}

func TestTheSameWebhookAtOnceOverSeveralConnections(t *testing.T) {
	x := open(t)
	r := x.call("a")
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() { x.want("a copy", x.post(r), http.StatusOK) })
	}
	calls.Wait()
	if got := x.waiting(); got != 1 {
		t.Errorf("%d messages are waiting, want 1", got)
	}
}

// A forger learns nothing: whatever is wrong, the answer is the same to the
// last byte of its head.
func TestEveryRefusedCallGetsTheSameAnswer(t *testing.T) {
	x := open(t)
	good := x.call("a")
	body := string(good.Body)
	with := func(edit func(http.Header)) http.Header {
		h := good.Header.Clone()
		edit(h)
		return h
	}
	post := func(target string, h http.Header, body string) string {
		return request(http.MethodPost, target, h, []byte(body))
	}
	const path = "/webhooks/line/acme"
	flipped := strings.Replace(body, `"events"`, `"Events"`, 1)
	stale := &linesim.Platform{Secret: strings.Repeat("0", 32)}
	long := strings.Repeat(" ", limit) + body
	chunked := with(func(h http.Header) { h.Set("Transfer-Encoding", "chunked") })
	calls := map[string]string{
		"wrong signature":         post(path, with(func(h http.Header) { h.Set("X-Line-Signature", strings.Repeat("A", 43)+"=") }), body),
		"no signature":            post(path, with(func(h http.Header) { h.Del("X-Line-Signature") }), body),
		"two signatures":          post(path, with(func(h http.Header) { h.Add("X-Line-Signature", h.Get("X-Line-Signature")) }), body),
		"stale secret":            post(path, stale.Sign(base+path, good.Body).Header, body),
		"flipped bit":             post(path, good.Header, flipped),
		"no body":                 post(path, good.Header, ""),
		"unknown connector":       post("/webhooks/line/nobody", good.Header, body),
		"unknown channel":         post("/webhooks/telegraph/acme", good.Header, body),
		"another channel's":       post("/webhooks/whatsapp/acme", good.Header, body),
		"no connector":            post("/webhooks", good.Header, body),
		"no connector, slash":     post("/webhooks/", good.Header, body),
		"slash at the end":        post(path+"/", good.Header, body),
		"deeper":                  post(path+"/more", good.Header, body),
		"escaped slash":           post("/webhooks/line%2facme", good.Header, body),
		"escaped letter":          post("/webhooks/line/%61cme", good.Header, body),
		"upper case":              post("/webhooks/LINE/acme", good.Header, body),
		"dots":                    post("/webhooks/../webhooks/line/acme", good.Header, body),
		"NUL":                     post("/webhooks/line/acme%00", good.Header, body),
		"two megabytes too much":  "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 2162688\r\n\r\n" + long,
		"too long, chunked":       request(http.MethodPost, path, chunked, fmt.Appendf(nil, "%x\r\n%s\r\n0\r\n\r\n", len(long), long)),
		"longer than it says":     "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n" + body,
		"shorter than it says":    "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n" + body,
		"chunks that end nowhere": "POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"handshake not known":     "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n",
		"handshake refused":       "GET /webhooks/whatsapp/acme?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1 HTTP/1.1\r\nHost: a\r\n\r\n",
		"PUT":                     request(http.MethodPut, path, good.Header, good.Body),
		"DELETE":                  request(http.MethodDelete, path, good.Header, nil),
		"OPTIONS":                 request(http.MethodOptions, path, good.Header, nil),
		"HEAD":                    request(http.MethodHead, path, good.Header, nil),
		"a method of their own":   request("BREW", path, good.Header, good.Body),
	}
	want := "HTTP/1.1 401 Unauthorized\nConnection: close\nContent-Length: 0\n"
	for name, call := range calls {
		if got := x.send(call, true); got.head != want || got.body != "" {
			t.Errorf("%s: answered %q with %q, want %q and nothing", name, got.head, got.body, want)
		}
	}
	if got := x.waiting(); got != 0 {
		t.Errorf("%d messages are waiting, want none", got)
	}
	got := x.counted()
	for labels, want := range map[string]float64{"line/acme too_large": 2, "line/acme incomplete": 2, "whatsapp/acme challenge_refused": 1} {
		if got[labels] != want {
			t.Errorf("%s counted %v times, want %v; all: %v", labels, got[labels], want, got)
		}
	}
	for labels := range got {
		if name, result, _ := strings.Cut(labels, " "); name == "none" && result != "unknown" || result == "accepted" {
			t.Errorf("unwanted series %s", labels)
		}
	}
	x.want("the one that was not tampered with", x.post(good), http.StatusOK)
}

// A platform that hangs up before it has its answer may never repeat what it
// has sent, so that is accepted all the same.
func TestAPlatformThatHangsUp(t *testing.T) {
	x := open(t)
	for i := range 20 {
		r := x.call(fmt.Sprint("call ", i))
		x.want("half closed", x.send(request(r.Method, "/webhooks/line/acme", r.Header, r.Body), true), http.StatusOK)
	}
	if got := x.waiting(); got != 20 {
		t.Errorf("%d messages are waiting, want 20", got)
	}
}

func TestABodyOfExactlyTheLimit(t *testing.T) {
	x := open(t)
	body := x.call("a").Body
	exact := append(bytes.Repeat([]byte(" "), limit-len(body)), body...)
	x.want("one byte more", x.post(x.signed(append([]byte(" "), exact...))), http.StatusUnauthorized)
	if got := x.waiting(); got != 0 {
		t.Errorf("%d messages are waiting, want none", got)
	}
	if got := x.counted()["line/acme too_large"]; got != 1 {
		t.Errorf("counted %v as too large, want 1", got)
	}
	x.want("the limit", x.post(x.signed(exact)), http.StatusOK)
	if got := x.waiting(); got != 1 {
		t.Errorf("%d messages are waiting, want 1", got)
	}
}

// What a platform has signed is never refused, because it has done its part.
func TestASignedCallThatSaysNothingToUs(t *testing.T) {
	x := open(t)
	for _, body := range []string{`{"destination":"U0","events":[]}`, `{"destination":"` + x.line.BotID + `","events":[{"type":"follow"}]}`} {
		x.want(body, x.post(x.signed([]byte(body))), http.StatusOK)
	}
	if got := x.waiting(); got != 0 {
		t.Errorf("%d messages are waiting, want none", got)
	}
}

func TestHandshake(t *testing.T) {
	x := open(t)
	r := x.whatsapp.Handshake(base + "/webhooks/whatsapp/acme")
	got := x.post(r)
	x.want("handshake", got, http.StatusOK)
	if !strings.Contains(r.URL, "hub.challenge="+got.body) || got.header.Get("X-Content-Type-Options") != "nosniff" ||
		got.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("answered %q with %v", got.body, got.header)
	}
}

func TestWithoutRedisThePlatformIsAskedToRepeat(t *testing.T) {
	x := open(t)
	r := x.call("a")
	for _, test := range []struct {
		name       string
		away, back func()
	}{
		{"asleep", x.redis.Pause, x.redis.Continue},
		{"killed", x.redis.Kill, x.redis.Restart},
	} {
		test.away()
		got := x.post(r)
		test.back()
		x.want(test.name, got, http.StatusServiceUnavailable)
		if got.header.Get("Retry-After") == "" || got.body != "" {
			t.Errorf("%s: answered %q with %v", test.name, got.body, got.header)
		}
	}
	x.want("the repeat", x.post(r), http.StatusOK)
	if got := x.waiting(); got != 1 {
		t.Errorf("%d messages are waiting, want 1", got)
	}
}

// Strangers cannot fill the disk with log, and cannot make series.
func TestRefusedCallsDoNotFloodTheLog(t *testing.T) {
	x := open(t)
	began := time.Now()
	const n = 200
	for i := range n {
		x.raw(request(http.MethodPost, "/webhooks/line/acme", nil, []byte(canary)))
		x.raw(request(http.MethodPost, fmt.Sprint("/webhooks/line/", canary, i, "?token=", canary), nil, nil))
	}
	seconds := int(time.Since(began).Seconds())
	if got := strings.Count(x.log.String(), "\n"); got > 3+seconds+1 { // three connectors name a setting at the start
		t.Errorf("the log has %d lines after %d s:\n%s", got, seconds, x.log)
	}
	counted := x.counted()
	if len(counted) != 2 || counted["line/acme unauthentic"] != n || counted["none unknown"] != n {
		t.Errorf("counted %v, want two series of %d each", counted, n)
	}
}

// panics is a line with a mistake in it.
type panics struct{ value any }

func (p panics) Receive(context.Context, *routes.Route, *connectors.Request) error { panic(p.value) }

func TestAPanicIsAnswered500(t *testing.T) {
	for name, value := range map[string]any{"text": "saw " + canary, "error": fmt.Errorf("saw %s", canary)} {
		t.Run(name, func(t *testing.T) {
			x := openWith(t, with{wrap: func(webhook.Receiver) webhook.Receiver { return panics{value} }})
			began := time.Now()
			for range 2 {
				got := x.post(x.call("a"))
				x.want("panic", got, http.StatusInternalServerError)
				if got.body != "" {
					t.Errorf("answered %q", got.body)
				}
			}
			lines, most := strings.Count(x.log.String(), "handler panicked"), 1+int(time.Since(began).Seconds())
			if lines < 1 || lines > most || !strings.Contains(x.log.String(), "webhook_test.go") {
				t.Errorf("%d lines, want from 1 to %d, with the stack:\n%s", lines, most, x.log)
			}
		})
	}
}

package apple_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
	"github.com/lightlock/lightlock/connectors/sim"
)

const (
	webhookURL = "https://gateway.example/webhooks/apple/acme"
	mspID      = "msp-1"
	// secret is the text that Apple shows, of 32 bytes.
	secret     = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	businessID = "3f6a1d20-9b7e-4c55-8d1c-0a4a2b6f7e11"
	userID     = "urn:mbid:AQAAY8mPqk3wV0b+R1/x2="
	messageID  = "7d0c6c1e-4b1f-4c0e-9f0a-3a1d5c9b2e77"
	// iat is when the token of the vector was made.
	iat  = 1700000000
	jpeg = "\xff\xd8\xff\xe0\x00\x10JFIF\x00 not much of a photo"
)

// start starts an Apple and a connector that knows it.
func start(t *testing.T) (*applesim.Platform, *apple.Connector) {
	t.Helper()
	p, err := applesim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, connect(t, p.Settings("acme", "support"), time.Now())
}

// connect makes a connector whose clock shows now.
func connect(t *testing.T, s config.Settings, now time.Time) *apple.Connector {
	t.Helper()
	c, err := apple.New(s, connectors.Env{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*apple.Connector)
}

// settings are those of a connector that nobody simulates anything for.
func settings() *apple.Config {
	return &apple.Config{
		Connector: config.Connector{Channel: "apple", Name: "acme"},
		MSPID:     mspID,
		Secret:    config.Secrets{config.NewSecret(secret)},
		Accounts:  []apple.Account{{Account: config.Account{ID: businessID, Queue: "support"}}},
	}
}

// key is what signs.
func key() []byte {
	k, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		panic(err)
	}
	return k
}

// token returns a token of Apple's with these claims.
func token(claims applesim.Object) string {
	return applesim.SignToken(applesim.Object{"alg": "HS256"}, claims, key())
}

// good is a token as Apple makes it at the time iat.
func good() string { return token(applesim.Object{"aud": mspID, "iat": iat}) }

// post is a call with this token and body, its ids in the headers.
func post(token string, body []byte) *connectors.Request {
	var ids struct{ ID, SourceID, DestinationID string }
	_ = json.Unmarshal(gunzip(body), &ids)
	return &connectors.Request{
		Method: http.MethodPost, URL: webhookURL, Body: body, ReceivedAt: time.Now(),
		Header: http.Header{
			"Authorization": {"Bearer " + token}, "Id": {ids.ID}, "Source-Id": {ids.SourceID}, "Destination-Id": {ids.DestinationID},
		},
	}
}

func gunzip(body []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body
	}
	data, _ := io.ReadAll(io.LimitReader(r, 11<<20))
	return data
}

// message is a message with what each one has; more is put behind that.
func message(kind, more string) string {
	return fmt.Sprintf(`{"v":1,"id":%q,"type":%q,"locale":"en_US","sourceId":%q,"destinationId":%q%s}`, messageID, kind, userID, businessID, more)
}

// parse returns what becomes of a body.
func parse(t *testing.T, body string) connectors.Event {
	t.Helper()
	got, err := connect(t, settings(), time.Now()).Parse(&connectors.Request{Body: []byte(body)})
	if err != nil {
		t.Fatalf("Parse of %.300s: %v", body, err)
	}
	if len(got) != 1 {
		t.Fatalf("got %d events of %.300s, want 1", len(got), body)
	}
	return got[0]
}

// withAttachments is a text message with these.
func withAttachments(text, list string) string {
	return message("text", fmt.Sprintf(`,"body":%q,"attachments":%s`, text, list))
}

const (
	hexKey    = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	hexSign   = "81a1b2c3d4e5f60718293a4b5c6d7e8f9001a2b3c4"
	base64Sig = "gaGyw9Tl9gcYKTpLXG1+j5ABorPE"
	locator   = "https://p00-content.example/M0/A+b=?x&y"
	goodPhoto = `{"name":"IMG_0412.HEIC","mimeType":"image/heic","size":"1834421","key":"00` + hexKey + `","owner":"M3f.example-owner~1",` +
		`"url":"` + locator + `","signature":"` + hexSign + `"}`
)

// goodRef is the reference to goodPhoto.
func goodRef() string {
	data, err := json.Marshal(struct {
		URL       string `json:"url"`
		Owner     string `json:"owner"`
		Signature string `json:"signature"`
		Key       string `json:"key"`
	}{locator, "M3f.example-owner~1", base64Sig, hexKey})
	if err != nil {
		panic(err)
	}
	return string(data)
}

// said is a message of Ada's.
func said(id string, photos ...string) sim.Said {
	s := sim.Said{ID: id, Consumer: "ada", Name: "Ada", At: time.Now()}
	for _, p := range photos {
		s.Photos = append(s.Photos, []byte(p))
	}
	return s
}

// onePhoto is the reference to a photo that Ada has just sent.
func onePhoto(t *testing.T, p *applesim.Platform, c *apple.Connector) connectors.Photo {
	t.Helper()
	return heard(t, c, p, p.Message(said("one", jpeg))).Photos[0]
}

// heard is what becomes of a message on its way through Verify and Parse.
func heard(t *testing.T, c *apple.Connector, p *applesim.Platform, m applesim.Object) connectors.Event {
	t.Helper()
	r, err := p.Call(webhookURL, m)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(r); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	events, err := c.Parse(r)
	if err != nil || len(events) != 1 {
		t.Fatalf("got %s, %v, want one event", toJSON(t, events), err)
	}
	return events[0]
}

// fetch reads a photo to its end.
func fetch(c *apple.Connector, p connectors.Photo) (string, error) {
	stream, err := c.Fetch(context.Background(), p)
	if err != nil {
		return "", err
	}
	defer func() { _ = stream.Close() }()
	data, err := io.ReadAll(stream)
	return string(data), err
}

func wantKind(t *testing.T, what string, err error, want connectors.ErrorKind) {
	t.Helper()
	if err == nil || connectors.KindOf(err) != want {
		t.Errorf("%s: got %v, want kind %v", what, err, want)
	}
}

// wantQuiet reports an error that tells what it must not.
func wantQuiet(t *testing.T, what string, err error, secrets ...string) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v %q", err, err, err, err)
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("%s: got an error that holds what must not be printed", what)
		}
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

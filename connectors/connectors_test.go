package connectors_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// kinds are all kinds of error, with what follows from each. It repeats the one
// table on purpose: a change there has to be meant.
func kinds() map[connectors.ErrorKind]connectors.Next {
	return map[connectors.ErrorKind]connectors.Next{
		connectors.Other:         {Name: "other", Retry: true},
		connectors.Unauthentic:   {Name: "unauthentic"},
		connectors.Malformed:     {Name: "malformed"},
		connectors.Gone:          {Name: "gone"},
		connectors.Throttled:     {Name: "throttled", Retry: true},
		connectors.Unavailable:   {Name: "unavailable", Retry: true},
		connectors.Refused:       {Name: "refused"},
		connectors.Misconfigured: {Name: "misconfigured", Retry: true, Alarm: true},
	}
}

func TestErrorTable(t *testing.T) {
	names := map[string]bool{}
	for kind, want := range kinds() {
		if got := kind.Next(); got != want {
			t.Errorf("kind %d: got %+v, want %+v", kind, got, want)
		}
		if kind.String() != want.Name || names[want.Name] {
			t.Errorf("kind %d: got name %q, want %q and no kind twice", kind, kind, want.Name)
		}
		names[want.Name] = true
	}
	// A kind of a newer release is retried, which loses nothing.
	if got, want := connectors.ErrorKind(99).Next(), (connectors.Next{Name: "other", Retry: true}); got != want {
		t.Errorf("unknown kind: got %+v, want %+v", got, want)
	}
}

func TestKindOf(t *testing.T) {
	gone := connectors.Errorf(connectors.Gone, "line: fetch", "no such photo")
	for _, row := range []struct {
		name string
		err  error
		want connectors.ErrorKind
	}{
		{"nil", nil, connectors.Other},
		{"none of ours", io.EOF, connectors.Other},
		{"ours", gone, connectors.Gone},
		{"wrapped", fmt.Errorf("photo 3: %w", gone), connectors.Gone},
		{"joined", errors.Join(io.EOF, gone), connectors.Gone},
		{"the outer of two", connectors.Errorf(connectors.Misconfigured, "again", "%w", gone), connectors.Misconfigured},
	} {
		if got := connectors.KindOf(row.err); got != row.want {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
}

func TestAfterOf(t *testing.T) {
	slow := &connectors.Error{Kind: connectors.Throttled, After: 7 * time.Second, Op: "line: fetch"}
	for _, row := range []struct {
		err  error
		want time.Duration
	}{{nil, 0}, {io.EOF, 0}, {slow, 7 * time.Second}, {fmt.Errorf("photo 3: %w", slow), 7 * time.Second}} {
		if got := connectors.AfterOf(row.err); got != row.want {
			t.Errorf("%v: got %v, want %v", row.err, got, row.want)
		}
	}
}

func TestErrorText(t *testing.T) {
	err := connectors.Errorf(connectors.Unavailable, "line: fetch", "api.example: %w", io.ErrUnexpectedEOF)
	if got, want := err.Error(), "line: fetch: unavailable: api.example: unexpected EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause cannot be asked for")
	}
	bare := &connectors.Error{Kind: connectors.Gone, Op: "line: fetch"}
	if got, want := bare.Error(), "line: fetch: gone"; got != want || bare.Unwrap() != nil {
		t.Errorf("got %q and cause %v, want %q and none", got, bare.Unwrap(), want)
	}
}

func TestDigestID(t *testing.T) {
	// The digest of "abc" is FIPS 180-2's first example.
	const abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := connectors.DigestID([]byte("abc")); got != abc {
		t.Errorf("got %q, want %q", got, abc)
	}
	if one, two := connectors.DigestID(nil), connectors.DigestID([]byte{0}); one == two || !strings.HasPrefix(one, "sha256:") {
		t.Errorf("got %q and %q, want two digests", one, two)
	}
}

func TestLater(t *testing.T) {
	sent := time.UnixMilli(1755000000123).UTC()
	for _, row := range []struct{ from, want time.Time }{
		{sent, sent.Add(time.Hour)},
		{time.Time{}, time.Time{}},
		{time.Date(9999, 12, 31, 23, 30, 0, 0, time.UTC), time.Time{}}, // JSON knows no year 10000
	} {
		if got := connectors.Later(row.from, time.Hour); !got.Equal(row.want) {
			t.Errorf("an hour after %v: got %v, want %v", row.from, got, row.want)
		}
	}
}

// Whoever makes the context is asked, and nobody where there is none.
func TestAskHost(t *testing.T) {
	if err := connectors.AskHost(t.Context(), "a.example"); err != nil {
		t.Errorf("got %v where nobody wants to be asked", err)
	}
	refusal := errors.New("no")
	var asked []string
	ctx := connectors.WithHosts(t.Context(), func(host string) error { asked = append(asked, host); return refusal })
	if err := connectors.AskHost(ctx, "a.example:8443"); !errors.Is(err, refusal) || len(asked) != 1 || asked[0] != "a.example:8443" {
		t.Errorf("got %v, asked for %q; want the refusal", err, asked)
	}
}

func TestUnixMillis(t *testing.T) {
	for _, row := range []struct {
		ms   int64
		want time.Time
	}{
		{1790000000123, time.Date(2026, time.September, 21, 14, 13, 20, 123e6, time.UTC)},
		{1, time.Date(1970, time.January, 1, 0, 0, 0, 1e6, time.UTC)},
		{0, time.Time{}},
		{-1, time.Time{}},
		{math.MinInt64, time.Time{}},
		{253402300799999, time.Date(9999, time.December, 31, 23, 59, 59, 999e6, time.UTC)},
		{253402300800000, time.Time{}},
		{math.MaxInt64, time.Time{}},
	} {
		got := connectors.UnixMillis(row.ms)
		if got != row.want {
			t.Errorf("%d: got %v, want %v", row.ms, got, row.want)
		}
		if _, err := json.Marshal(connectors.Event{SentAt: got}); err != nil {
			t.Errorf("%d: the event cannot be stored: %v", row.ms, err)
		}
	}
}

func TestEventAs(t *testing.T) {
	message := connectors.Event{Kind: connectors.Message, ID: "1", Text: "hello", Raw: []byte("{}")}
	got := message.As(connectors.Broken, "no reason at all")
	want := connectors.Event{Kind: connectors.Broken, ID: "1", Text: "hello", Raw: []byte("{}"), Reason: "no reason at all"}
	if !reflect.DeepEqual(got, want) || message.Kind != connectors.Message {
		t.Errorf("got %+v from %+v, want %+v and the message as it was", got, message, want)
	}
}

// Events wait in a journal, possibly for a newer release to read them.
func TestEventJSON(t *testing.T) {
	full := connectors.Event{
		Kind: connectors.Message, ID: "1", MessageID: "2", Account: "3", Consumer: connectors.Consumer{ID: "4", Name: "Ada"},
		SentAt: time.Date(2026, time.March, 1, 12, 0, 0, 5e6, time.UTC), Text: "hello", ReplyTo: "5", Language: "en", ReplyToken: "11", NoReply: true, Reason: "6", Raw: []byte(`{"a":1}`),
		Photos: []connectors.Photo{{Account: "3", Ref: "7", ClaimedType: "image/jpeg", ClaimedBytes: 8, ClaimedSHA256: "9"}},
		Album:  &connectors.Album{ID: "10", Index: 1, Total: 2},
	}
	data, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var back connectors.Event
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, full) {
		t.Errorf("got %+v, %v\nfrom %s\nwant %+v", back, err, data, full)
	}
	for i := range reflect.TypeFor[connectors.Event]().NumField() {
		if reflect.ValueOf(full).Field(i).IsZero() {
			t.Errorf("field %s is not part of this test", reflect.TypeFor[connectors.Event]().Field(i).Name)
		}
	}
	small, err := json.Marshal(connectors.Event{Kind: connectors.Ignored, ID: "1", Account: "2"})
	if want := `{"kind":"ignored","id":"1","account":"2"}`; err != nil || string(small) != want {
		t.Errorf("got %s, %v, want %s", small, err, want)
	}
}

func TestLength(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "é": 1, "写": 1, "📷": 2, "a📷b": 4, "\xff": 1} {
		if got := connectors.Length(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

func TestUnsureOf(t *testing.T) {
	unsure := &connectors.Error{Kind: connectors.Unavailable, Unsure: true}
	for _, row := range []struct {
		err  error
		want bool
	}{
		{nil, false}, {errors.New("x"), false}, {unsure, true}, {fmt.Errorf("wrapped: %w", unsure), true},
		{connectors.Errorf(connectors.Unavailable, "x", "y"), false},
	} {
		if got := connectors.UnsureOf(row.err); got != row.want {
			t.Errorf("%v: got %v, want %v", row.err, got, row.want)
		}
	}
}

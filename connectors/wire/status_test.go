package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// statuses says for each status that platforms use what follows from it. A
// negative kind stands for success.
var statuses = []struct {
	status int
	want   connectors.ErrorKind
	retry  bool
}{
	{200, -1, false}, {201, -1, false}, {204, -1, false},
	{202, connectors.Unavailable, true}, {206, connectors.Unavailable, true},
	{301, connectors.Unavailable, true}, {302, connectors.Unavailable, true},
	{304, connectors.Unavailable, true}, {307, connectors.Unavailable, true},
	{400, connectors.Refused, false}, {405, connectors.Refused, false},
	{409, connectors.Refused, false}, {413, connectors.Refused, false},
	{422, connectors.Refused, false}, {451, connectors.Refused, false},
	{401, connectors.Misconfigured, true}, {403, connectors.Misconfigured, true},
	{404, connectors.Gone, false}, {410, connectors.Gone, false},
	{408, connectors.Unavailable, true}, {425, connectors.Unavailable, true},
	{429, connectors.Throttled, true},
	{500, connectors.Unavailable, true}, {501, connectors.Unavailable, true},
	{502, connectors.Unavailable, true}, {503, connectors.Unavailable, true},
	{504, connectors.Unavailable, true}, {529, connectors.Unavailable, true},
	{599, connectors.Unavailable, true}, {999, connectors.Unavailable, true},
}

func TestStatusDecidesTheKind(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Path[1:])
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
	})
	client := simulated(t, Options{})
	for _, row := range statuses {
		t.Run(strconv.Itoa(row.status), func(t *testing.T) {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s/%d", server.URL, row.status), nil)
			_, err := client.Call(t.Context(), "test: call", req, 100)
			if row.want < 0 {
				if err != nil {
					t.Errorf("got %v, want success", err)
				}
				return
			}
			wantKind(t, err, row.want)
			if got := connectors.KindOf(err).Next().Retry; got != row.retry {
				t.Errorf("got retry %t, want %t", got, row.retry)
			}
			var after time.Duration
			if row.want == connectors.Throttled || row.want == connectors.Unavailable {
				after = 7 * time.Second
			}
			if got := connectors.AfterOf(err); got != after {
				t.Errorf("got a pause of %s, want %s", got, after)
			}
			want := fmt.Sprintf("test: call: %s: %s: HTTP %d", row.want, hostport(server), row.status)
			if err.Error() != want {
				t.Errorf("got text %q, want %q", err, want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	rows := []struct {
		value string
		want  time.Duration
	}{
		{"", 0}, {"0", 0}, {"1", time.Second}, {" 30 ", 30 * time.Second},
		{"900", 15 * time.Minute}, {"901", 15 * time.Minute},
		{"99999999999999999999999", 15 * time.Minute},
		{"-5", 0}, {"1.5", 0}, {"+3", 0}, {"soon", 0}, {"0x10", 0},
		{"Tue, 01 Sep 2026 12:00:20 GMT", 20 * time.Second},
		{"Tuesday, 01-Sep-26 12:00:20 GMT", 20 * time.Second},
		{"Tue Sep  1 12:00:20 2026", 20 * time.Second},
		{"Tue, 01 Sep 2026 11:59:00 GMT", 0},
		{"Fri, 31 Dec 9999 23:59:59 GMT", 15 * time.Minute},
	}
	for _, row := range rows {
		got := retryAfter(http.Header{"Retry-After": {row.value}}, now)
		if got != row.want {
			t.Errorf("Retry-After %q: got %s, want %s", row.value, got, row.want)
		}
	}
	if got := retryAfter(nil, now); got != 0 {
		t.Errorf("no header: got %s, want 0", got)
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("5")
	f.Add("Tue, 01 Sep 2026 11:59:00 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		got := retryAfter(http.Header{"Retry-After": {value}}, time.Now())
		if got < 0 || got > 15*time.Minute {
			t.Errorf("Retry-After %q: got %s, want 0 to 15 minutes", value, got)
		}
	})
}

func TestStatusFailureCarriesTheBodyAndPrintsTheStatus(t *testing.T) {
	const object = `{"error":{"code":33,"message":"Alice's photo"}}`
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "r-1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(object + strings.Repeat(" ", 1<<20)))
	})
	_, err := fetchAll(t.Context(), simulated(t, Options{}), Fetch{URL: server.URL})
	wantKind(t, err, connectors.Refused)
	var failure *StatusFailure
	if !errors.As(err, &failure) {
		t.Fatalf("got %v, want a *StatusFailure in it", err)
	}
	if failure.Status != 400 || failure.Header.Get("X-Request-Id") != "r-1" {
		t.Errorf("got status %d and header %v", failure.Status, failure.Header)
	}
	if !strings.HasPrefix(string(failure.Body), object) || len(failure.Body) != 4096 {
		t.Errorf("got %d bytes of body, want the first 4096", len(failure.Body))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, failure); got != "HTTP 400" {
			t.Errorf("%s prints %q, want %q", verb, got, "HTTP 400")
		}
	}
	if got, err := json.Marshal(connectors.Error{Err: failure}); err != nil || !strings.Contains(string(got), `"HTTP 400"`) {
		t.Errorf("in JSON: got %s, %v, want the status alone", got, err)
	}
}

func TestStatusErrorNeedsNeitherRequestNorBody(t *testing.T) {
	err := statusError("test: call", &http.Response{StatusCode: http.StatusGone}, time.Now())
	wantKind(t, err, connectors.Gone)
	if want := "test: call: gone: HTTP 410"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if err := statusError("test: call", &http.Response{StatusCode: http.StatusOK}, time.Now()); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestFailure(t *testing.T) {
	answer := &StatusFailure{Status: 404}
	ours := &connectors.Error{Kind: connectors.Gone, Unsure: true, Op: "x: send", Err: fmt.Errorf("api.example: %w", answer)}
	if own, found := Failure(fmt.Errorf("more: %w", ours)); own != ours || found != answer {
		t.Errorf("got %v, %v, want both parts", own, found)
	}
	if own, found := Failure(errors.New("x")); own != nil || found != nil {
		t.Errorf("got %v, %v of an error that is not ours, want nothing", own, found)
	}
	if own, found := Failure(nil); own != nil || found != nil {
		t.Errorf("got %v, %v of no error, want nothing", own, found)
	}
	if err := OwnAddress(ours); connectors.KindOf(err) != connectors.Misconfigured || !connectors.UnsureOf(err) {
		t.Errorf("got %v, want misconfigured, and as unsure as before", err)
	}
	for _, kind := range []connectors.ErrorKind{connectors.Refused, connectors.Unavailable} {
		if err := OwnAddress(connectors.Errorf(kind, "x", "y")); connectors.KindOf(err) != kind {
			t.Errorf("got %v, want kind %v as it was", err, kind)
		}
	}
	if err := OwnAddress(nil); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

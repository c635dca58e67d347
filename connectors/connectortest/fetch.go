package connectortest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// fetchChecks are about opening the original of a photo.
func fetchChecks() []check {
	return []check{
		{"fetch_bytes", "the bytes are those that were sent, at every fetch, and the claims about them are true", checkFetchBytes},
		{"fetch_slow", "a slow host's bytes all arrive", checkFetchSlow},
		{"fetch_status", "every HTTP status has its kind of error, and 202 is not complete", checkFetchStatus},
		{"fetch_retry_after", "the time that the platform asks to wait is carried on", checkFetchRetryAfter},
		{"fetch_down", "an error says whether the host itself failed", checkFetchDown},
		{"fetch_hosts", "each host is called only after its name was asked for, and a refusal is passed on", checkFetchHosts},
		{"fetch_incomplete", "what ends early is Unavailable and never io.EOF", checkFetchIncomplete},
		{"fetch_endless", "a stream can be closed before its end", checkFetchEndless},
		{"fetch_cancel", "a cancelled fetch ends and says context.Canceled", checkFetchCancel},
		{"fetch_deadline", "a fetch ends at its deadline", checkFetchDeadline},
		{"fetch_account", "a photo is fetched with its own account's credentials, and with nobody's if there is no such account", checkFetchAccount},
		{"fetch_nonsense", "a reference that is none is Refused or Malformed, without a call", checkFetchNonsense},
		{"fetch_private", "no private address is called unless the operator allows it", checkFetchPrivate},
		{"fetch_foreign", "credentials go to no other host", checkFetchForeign},
	}
}

func checkFetchBytes(b *bench) error {
	want := [][]byte{picture(1), []byte("\xff"), bytes.Repeat(picture(3), 100)}
	var photos []connectors.Photo
	for i, data := range want {
		more, err := b.photos(withPhotos(fmt.Sprint("photo", i), data))
		if err != nil {
			return err
		}
		photos = append(photos, more...)
	}
	for _, i := range []int{2, 0, 1, 0, 2} {
		got, err := fetch(b.ctx, b.connector, photos[i])
		if err != nil {
			return err
		}
		if !bytes.Equal(got, want[i]) {
			return fmt.Errorf("got %d bytes, want the %d that were sent", len(got), len(want[i]))
		}
		if err := claims(photos[i], want[i]); err != nil {
			return err
		}
	}
	return nil
}

// claims returns what is untrue about a photo.
func claims(p connectors.Photo, data []byte) error {
	if p.ClaimedBytes != 0 && p.ClaimedBytes != int64(len(data)) {
		return fmt.Errorf("got ClaimedBytes %d, want %d or none", p.ClaimedBytes, len(data))
	}
	sum := sha256.Sum256(data)
	if want := hex.EncodeToString(sum[:]); p.ClaimedSHA256 != "" && p.ClaimedSHA256 != want {
		return fmt.Errorf("got ClaimedSHA256 %q, want %q or none", p.ClaimedSHA256, want)
	}
	return nil
}

func checkFetchSlow(b *bench) error {
	want := picture(1)
	p, steps, err := b.photoAndSteps()
	if err != nil {
		return err
	}
	more := make(chan struct{})
	b.fault(steps, len(steps)-1, func(w http.ResponseWriter, r *http.Request, h http.Handler) {
		h.ServeHTTP(&drip{ResponseWriter: w, more: more, gone: r.Context().Done()}, r)
	})
	stream, err := b.connector.Fetch(b.ctx, p)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	got := make([]byte, firstDrop)
	if _, err := io.ReadFull(stream, got); err != nil {
		return fmt.Errorf("the first %d bytes while the others are not there yet: %w", firstDrop, err)
	}
	close(more)
	rest, err := io.ReadAll(stream)
	got = append(got, rest...)
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("got %d bytes, want the %d that were sent", len(got), len(want))
	}
	return err
}

func checkFetchStatus(b *bench) error {
	p, steps, err := b.photoAndSteps()
	if err != nil {
		return err
	}
	for k, s := range steps {
		for status := 200; status < 600; status++ {
			b.fault(steps, k, func(w http.ResponseWriter, r *http.Request, h http.Handler) {
				if status < 300 {
					h.ServeHTTP(&answer{ResponseWriter: w, instead: status}, r)
					return
				}
				w.WriteHeader(status)
			})
			_, err := fetch(b.ctx, b.connector, p)
			if err := judgeStatus(s, k, len(steps), status, err); err != nil {
				return fmt.Errorf("HTTP %d at step %d of %d: %w", status, k+1, len(steps), err)
			}
		}
	}
	return nil
}

// judgeStatus returns an error unless err is right for a status at step k of n.
func judgeStatus(s step, k, n, status int, err error) error {
	kinds := statusKinds(status, s.authorized)
	switch {
	case kinds != nil && k > 0:
		// An address that an earlier step gave may simply be too old, and one
		// that fails again when it is fresh says something about the token.
		if kinds[0] == connectors.Gone || kinds[0] == connectors.Misconfigured {
			kinds = []connectors.ErrorKind{connectors.Gone, connectors.Misconfigured, connectors.Unavailable}
		}
		return wantKind(err, kinds...)
	case kinds != nil:
		return wantKind(err, kinds...)
	case err != nil && (status == http.StatusNoContent || status == http.StatusResetContent):
		// Such an answer has no body. Who knows how long a photo is misses it.
		return wantKind(err, connectors.Unavailable, connectors.Gone)
	case k == n-1 && s.status == http.StatusOK:
		return err
	}
	return nil // an empty look-up: its kind is the channel's own matter
}

// statusKinds is what follows from a status; nil is success.
func statusKinds(status int, authorized bool) []connectors.ErrorKind {
	switch status {
	case 202, 206, 408, 425:
		return []connectors.ErrorKind{connectors.Unavailable}
	case 404, 410:
		return []connectors.ErrorKind{connectors.Gone}
	case 429:
		return []connectors.ErrorKind{connectors.Throttled}
	case 401, 403, 407:
		if !authorized {
			// Where no credentials were shown, none can be wrong.
			return []connectors.ErrorKind{connectors.Gone}
		}
		return []connectors.ErrorKind{connectors.Misconfigured}
	}
	switch {
	case status < 300:
		return nil
	case status < 400 && authorized:
		// Some platforms lead those to a page for people whom they do not know.
		return []connectors.ErrorKind{connectors.Unavailable, connectors.Misconfigured}
	case status < 400, status >= 500:
		return []connectors.ErrorKind{connectors.Unavailable}
	}
	return []connectors.ErrorKind{connectors.Refused}
}

func checkFetchRetryAfter(b *bench) error {
	p, steps, err := b.photoAndSteps()
	if err != nil {
		return err
	}
	for k := range steps {
		for _, status := range []int{429, 503} {
			b.fault(steps, k, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(status)
			})
			_, err := fetch(b.ctx, b.connector, p)
			if got := connectors.AfterOf(err); got != 7*time.Second {
				return fmt.Errorf("HTTP %d with Retry-After: 7 at step %d: got %v (%w), want 7s", status, k+1, got, err)
			}
		}
	}
	return nil
}

func checkFetchIncomplete(b *bench) error {
	p, steps, err := b.photoAndSteps()
	if err != nil {
		return err
	}
	const head = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
	faults := []struct {
		name, bytes string
		reset       bool
	}{
		{"no answer", "", false},
		{"a reset instead of an answer", "", true},
		{"an answer that is no HTTP", "SSH-2.0-hello\r\n", false},
		{"half a header", head, false},
		{"a body shorter than announced", head + "Content-Length: 100000\r\n\r\n\xff\xd8\xff\xe0", false},
		{"a reset amid the body", head + "Content-Length: 100000\r\n\r\n\xff\xd8\xff\xe0", true},
		{"a chunk cut short", head + "Transfer-Encoding: chunked\r\n\r\n10\r\nabc", false},
		{"chunks without an end", head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false},
	}
	for k := range steps {
		for _, f := range faults {
			b.fault(steps, k, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { raw(w, f.bytes, f.reset) })
			if err := fails(b, p); err != nil {
				return fmt.Errorf("%s at step %d: %w", f.name, k+1, err)
			}
		}
	}
	return nil
}

// fails returns an error unless fetching p is Unavailable. Readers ask for the
// end with errors.Is, so no error of the stream may look like it.
func fails(b *bench, p connectors.Photo) error {
	stream, err := b.connector.Fetch(b.ctx, p)
	if err != nil {
		return wantKind(err, connectors.Unavailable)
	}
	defer func() { _ = stream.Close() }()
	for piece := make([]byte, 512); err == nil; {
		_, err = stream.Read(piece)
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the stream ended with %w, which means that it is complete", err)
	}
	return wantKind(err, connectors.Unavailable)
}

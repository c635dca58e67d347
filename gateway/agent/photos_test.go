package agent_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/agent"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/store"
)

// broken is a store that can be made to fail.
type broken struct {
	agent.Gallery
	fail bool
}

func (b *broken) Open(ctx context.Context, k store.Key) (store.Picture, error) {
	if b.fail {
		return store.Picture{}, errors.New("input/output error")
	}
	return b.Gallery.Open(ctx, k)
}

// wire sends a call as it stands, and returns the answer's status, head without its
// date, and body.
func (h *house) wire(method, target, authorization string) (status int, head, body string) {
	h.Helper()
	c, err := net.Dial("tcp", h.address)
	h.must(err)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	text := method + " " + target + " HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n"
	if authorization != "" {
		text += "Authorization: " + authorization + "\r\n"
	}
	_, err = io.WriteString(c, text+"\r\n")
	h.must(err)
	all, err := io.ReadAll(c)
	h.must(err)
	a, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(all))), &http.Request{Method: method})
	h.must(err)
	defer a.Body.Close()
	top, body, _ := strings.Cut(string(all), "\r\n\r\n")
	for line := range strings.SplitSeq(top, "\r\n") {
		if !strings.HasPrefix(line, "Date: ") {
			head += line + "\n"
		}
	}
	return a.StatusCode, head, body
}

func TestPictures(t *testing.T) {
	h := open(t)
	p := h.photo(h.wait("look"))
	for kind, want := range map[string]string{"preview": preview, "thumbnail": thumbnail} {
		target := "/v1/photos/" + p.ID + "/" + kind
		status, head, body := h.wire(http.MethodGet, target, "Bearer "+deskToken)
		if status != http.StatusOK || body != want {
			t.Errorf("%s: answered %d %q", kind, status, body)
		}
		if _, got, _ := h.wire(http.MethodHead, target, "bearer "+deskToken); got != head {
			t.Errorf("HEAD says\n%s and GET\n%s", got, head)
		}
		a := h.call(deskToken, http.MethodGet, target, "")
		for name, value := range map[string]string{
			"Content-Type": "image/jpeg", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": "inline",
			"Cross-Origin-Resource-Policy": "same-origin", "Last-Modified": "", "Etag": "", "Set-Cookie": "",
		} {
			if a.header.Get(name) != value {
				t.Errorf("%s: %s is %q, want %q", kind, name, a.header.Get(name), value)
			}
		}
	}
}

func TestRanges(t *testing.T) {
	h := open(t)
	p := h.photo(h.wait("look"))
	for _, test := range []struct {
		asked  string
		status int
		body   string
	}{
		{"bytes=0-1", http.StatusPartialContent, preview[:2]},
		{"bytes=-7", http.StatusPartialContent, "preview"},
		{"bytes=0-1,4-5", http.StatusOK, preview}, // another type otherwise
		{"nonsense", http.StatusRequestedRangeNotSatisfiable, ""},
		{"bytes=9000-", http.StatusRequestedRangeNotSatisfiable, ""},
	} {
		got := h.call(deskToken, http.MethodGet, "/v1/photos/"+p.ID+"/preview", "", "Range", test.asked).want(t, test.asked, test.status)
		if test.body == "" {
			if strings.Contains(got.body, "html") || got.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: answered %q with %v", test.asked, got.body, got.header)
			}
			continue
		}
		if got.body != test.body || got.header.Get("Content-Type") != "image/jpeg" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: answered %q with %v", test.asked, got.body, got.header)
		}
	}
}

// Who may not see a picture cannot tell it from one that there is not.
func TestWhoMaySeeAPicture(t *testing.T) {
	h := open(t)
	id := h.wait("look")
	good := h.photo(id).ID
	attempt := strings.Split(good, ".")[1]
	other := strings.Replace(good, attempt, strings.Repeat("0b", 16), 1)
	const bearer = "Bearer "
	var hidden []string
	for _, test := range []struct {
		name, authorization, id string
		status                  int
	}{
		{"no token", "", good, 401},
		{"no token, unknown photo", "", other, 401},
		{"no token, no id", "", "x", 401},
		{"empty token", bearer, good, 401},
		{"unset token", bearer + "\"\"", good, 401},
		{"wrong token", bearer + strings.ToUpper(deskToken), good, 401},
		{"token cut short", bearer + deskToken[:38], good, 401},
		{"token and more", bearer + deskToken + "x", good, 401},
		{"another scheme", "Basic " + deskToken, good, 401},
		{"the token alone", deskToken, good, 401},
		{"a service of another queue", bearer + shopToken, good, 404},
		{"an agent of another queue", bearer + salToken, good, 404},
		{"an agent who has not taken it", bearer + benToken, good, 404},
		{"an agent, unknown photo", bearer + benToken, other, 404},
		{"unknown photo", bearer + deskToken, other, 404},
		{"unknown photo of another queue", bearer + deskToken, "sales" + strings.TrimPrefix(good, support), 404},
		{"number beyond the message", bearer + deskToken, strings.TrimSuffix(good, "0") + "1", 404},
		{"two numbers", bearer + deskToken, good + ".0", 404},
		{"number in another spelling", bearer + deskToken, strings.TrimSuffix(good, "0") + "00", 404},
		{"upper case", bearer + deskToken, strings.ToUpper(good), 404},
		{"dots", bearer + deskToken, "..", 404},
		{"escaped dots", bearer + deskToken, "%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404},
		{"a path", bearer + deskToken, "../" + good, 404},
		{"an escaped path", bearer + deskToken, "..%2fsupport%2f0a", 404},
		{"NUL", bearer + deskToken, good + "%00", 404},
		{"no id", bearer + deskToken, "", 404},
		{"endless", bearer + deskToken, strings.Repeat("a", 8000), 404},
		{"a link that nobody minted", "", good + "/preview?link=abc#", 404},
	} {
		status, head, body := h.wire(http.MethodGet, strings.TrimSuffix("/v1/photos/"+test.id+"/preview", "#/preview"), test.authorization)
		if status != test.status || strings.Contains(body, "html") {
			t.Errorf("%s: answered %d %q, want %d", test.name, status, body, test.status)
		}
		if status == 404 {
			hidden = append(hidden, test.name+"\n"+head+body)
		}
	}
	_, first, _ := strings.Cut(hidden[0], "\n")
	for _, one := range hidden {
		if name, text, _ := strings.Cut(one, "\n"); text != first {
			t.Errorf("%s is answered\n%s and the others\n%s", name, text, first)
		}
	}
}

func TestAStoreThatFails(t *testing.T) {
	var gallery *broken
	h := open(t, func(o *agent.Options) { gallery = &broken{Gallery: o.Gallery}; o.Gallery = gallery })
	p := h.photo(h.wait("look"))
	gallery.fail = true
	got := h.call(deskToken, http.MethodGet, "/v1/photos/"+p.ID+"/preview", "").want(t, "a store that fails", http.StatusServiceUnavailable, "unavailable")
	if strings.Contains(got.body, "input") || !strings.Contains(h.log.String(), "input/output error") {
		t.Errorf("answered %q, log:\n%s", got.body, h.log)
	}
}

// links are what is minted.
type links struct {
	Preview, Thumbnail string
	ExpiresAt          time.Time `json:"expires_at"`
}

// A link shows the photo to whoever has it, as long as its agent has the
// conversation and a minute has not passed.
func TestLinks(t *testing.T) {
	h := open(t)
	id, photo := h.in(mine)
	l := read[links](t, h.call(deskToken, http.MethodPost, "/v1/photos/"+photo+"/links", `{"agent":"ben"}`))
	if left := time.Until(l.ExpiresAt); left > time.Minute || left < time.Second {
		t.Errorf("the link is good for %v", left)
	}
	look := func(what, target string, status int) {
		t.Helper()
		h.call("", http.MethodGet, target, "").want(t, what, status)
	}
	look("the preview", l.Preview, http.StatusOK)
	look("the thumbnail", l.Thumbnail, http.StatusOK)
	look("once more", l.Preview, http.StatusOK)
	_, other := h.in(mine)
	look("another photo of Ben's", strings.Replace(l.Preview, photo, other, 1), http.StatusNotFound)
	look("a link cut short", l.Preview[:len(l.Preview)-1], http.StatusNotFound)
	look("an empty link", strings.Split(l.Preview, "=")[0]+"=", http.StatusUnauthorized)
	h.call(evaToken, http.MethodGet, strings.Split(l.Preview, "?")[0], "").want(t, "Eva without the link", http.StatusNotFound)
	h.call(benToken, http.MethodPost, "/v1/conversations/"+id+"/transfer", `{"to":"eva"}`).want(t, "transfer", http.StatusOK)
	look("after a transfer", l.Preview, http.StatusNotFound)
	h.call(evaToken, http.MethodPost, "/v1/conversations/"+id+"/transfer", `{"to":"ben"}`).want(t, "back again", http.StatusOK)
	look("when it is Ben's again", l.Preview, http.StatusOK)
	queuetest.Inspect(t, h.redis.Address()).Age(support, time.Minute)
	look("after a minute", l.Preview, http.StatusNotFound)
}

// A link ends with the agent for whom it was minted, before anybody has put back what
// they had.
func TestALinkEndsWithItsAgent(t *testing.T) {
	h := open(t)
	id, photo := h.in(mine)
	l := read[links](t, h.call(deskToken, http.MethodPost, "/v1/photos/"+photo+"/links", `{"agent":"ben"}`))
	h.call("", http.MethodGet, l.Preview, "").want(t, "while Ben is there", http.StatusOK)
	h.employ("eva")
	h.benLeft()
	if c := h.chat(id); c.Agent.ID != "ben" {
		t.Fatalf("it is put back: %+v", c)
	}
	h.call("", http.MethodGet, l.Preview, "").want(t, "when Ben has left", http.StatusNotFound)
}

// A photo that is put into the conversation of one agent is not shown to another,
// whatever a message says.
func TestAPhotoBelongsToItsConversation(t *testing.T) {
	h := open(t)
	bens, _ := h.in(mine)
	evas, stolen := h.in(others)
	name := h.hear(said{queue: support, consumer: "P-thief", text: "mine", photos: []queue.Photo{{ID: stolen, Status: queue.Ready}}})
	h.call(benToken, http.MethodPost, "/v1/conversations/"+name+"/take", "").want(t, "take", http.StatusOK)
	h.call(benToken, http.MethodGet, "/v1/photos/"+stolen+"/preview", "").want(t, "Eva's photo named in Ben's message", http.StatusNotFound)
	if bens == evas {
		t.Error("there is one conversation")
	}
}

package agent_test

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/agent"
	"github.com/lightlock/lightlock/gateway/archive"
	"github.com/lightlock/lightlock/gateway/store"
)

// asked notes what is asked of the store.
type asked struct {
	agent.Gallery
	store.Documents
	mu    sync.Mutex
	calls []string
}

func (a *asked) note(call string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, call)
}

func (a *asked) Open(ctx context.Context, k store.Key) (store.Picture, error) {
	a.note("picture")
	return a.Gallery.Open(ctx, k)
}

func (a *asked) Conversation(ctx context.Context, k store.Key) (string, error) {
	a.note("key")
	return a.Gallery.Conversation(ctx, k)
}

func (a *asked) Get(ctx context.Context, name string) ([]byte, error) {
	a.note("document")
	return a.Documents.Get(ctx, name)
}

func (a *asked) List(ctx context.Context, folder, after string, limit int) ([]string, error) {
	a.note("list")
	return a.Documents.List(ctx, folder, after, limit)
}

// during returns what is asked while something is done.
func (a *asked) during(do func()) []string {
	a.mu.Lock()
	a.calls = nil
	a.mu.Unlock()
	do()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls
}

// To say that there is no photo takes the same work whether there is one or not.
func TestANoTakesTheSameOfTheStore(t *testing.T) {
	var store *asked
	h := open(t, func(o *agent.Options) {
		files, _ := o.Archive.(*archive.Archive)
		store = &asked{Gallery: o.Gallery, Documents: files.Documents}
		o.Gallery, files.Documents = store, store
	})
	_, bens := h.in(mine)
	get := func(photo string, status int) []string {
		return store.during(func() {
			h.call(benToken, http.MethodGet, "/v1/photos/"+photo+"/preview", "").want(t, photo, status)
		})
	}
	mint := func(photo string, status int) []string {
		return store.during(func() {
			h.call(benToken, http.MethodPost, "/v1/photos/"+photo+"/links", "{}").want(t, photo, status)
		})
	}
	none := strings.Replace(bens, strings.Split(bens, ".")[1], strings.Repeat("0b", 16), 1)
	want := get(none, http.StatusNotFound)
	if len(want) == 0 || slices.Contains(want, "picture") {
		t.Errorf("for one that there is not: %q", want)
	}
	for _, state := range []string{waiting, others, closedOthers, closedOthers + ", archived", closedNobody + ", archived"} {
		id, photo := h.in(state)
		if got := get(photo, http.StatusNotFound); !slices.Equal(got, want) {
			t.Errorf("%s: the store is asked for %q, and for %q where there is no photo", state, got, want)
		}
		h.call(benToken, http.MethodGet, "/v1/conversations/"+id+"/messages", "").want(t, "its messages", http.StatusOK)
		if got := get(photo, http.StatusNotFound); !slices.Equal(got, want) {
			t.Errorf("%s, once somebody has read it: the store is asked for %q, want %q", state, got, want)
		}
		if got := mint(photo, http.StatusNotFound); !slices.Equal(got, want) {
			t.Errorf("%s, a link: the store is asked for %q, want %q", state, got, want)
		}
	}
	if got := mint(none, http.StatusNotFound); !slices.Equal(got, want) {
		t.Errorf("a link to none: the store is asked for %q, want %q", got, want)
	}
	if got := get(bens, http.StatusOK); !slices.Equal(got, []string{"key", "picture"}) {
		t.Errorf("one's own: the store is asked for %q", got)
	}
}

// Whoever reads slowly holds up nobody else, and himself when it becomes too much.
func TestSlowReaders(t *testing.T) {
	h := open(t)
	_, bens := h.in(mine)
	_, evas := h.in(others)
	var leave func()
	for range agent.SharePreviews {
		var err error
		leave, err = h.api.Occupy(t.Context(), "agent ben")
		h.must(err)
	}
	h.call(evaToken, http.MethodGet, "/v1/photos/"+evas+"/preview", "").want(t, "Eva", http.StatusOK)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := h.api.Occupy(ctx, "agent ben"); err == nil {
		t.Errorf("Ben has more than %d at once", agent.SharePreviews)
	}
	leave()
	h.call(benToken, http.MethodGet, "/v1/photos/"+bens+"/preview", "").want(t, "Ben, when one is read", http.StatusOK)
}

// However many read slowly: what is held is bounded, and who has nothing yet gets one.
func TestManySlowReaders(t *testing.T) {
	h := open(t)
	_, evas := h.in(others)
	held := 0
	for n := range 2 * agent.AllPreviews * agent.SharePreviews {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		who := "agent " + strconv.Itoa(n/agent.SharePreviews)
		if _, err := h.api.Occupy(ctx, who); err == nil {
			held++
		} else if n%agent.SharePreviews > 0 {
			break
		}
	}
	if most := agent.AllPreviews + 1 + agent.AllPreviews/(agent.SharePreviews-1); held > most {
		t.Errorf("got %d previews in memory, want %d at most", held, most)
	}
	h.call(evaToken, http.MethodGet, "/v1/photos/"+evas+"/preview", "").want(t, "Eva's only one", http.StatusOK)
}

package whatsappsim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors/sim"
)

// library holds the media that consumers sent.
type library struct {
	mu    sync.Mutex
	items map[string]medium
	// base is where addresses point to.
	base string
	// live is the only address of a medium that works, dying how many of the
	// next ones never will.
	live    map[string]string
	dying   int
	lookups int
}

type medium struct {
	number, mimeType string
	data             []byte
	sum              [sha256.Size]byte
}

// Media stores a file that was sent to n in the message wamid, and returns what
// the message says about it.
func (p *Platform) Media(n Number, wamid, mimeType string, data []byte) Object {
	id := sim.Decimal(16, n.ID, wamid)
	sum := sha256.Sum256(data)
	p.media.put(id, medium{number: n.ID, mimeType: mimeType, data: data, sum: sum})
	return Object{"id": id, "mime_type": mimeType, "sha256": sum64(sum), "url": p.media.address(id)}
}

// ExpireAddresses ends every address that was told so far, as five minutes do.
func (p *Platform) ExpireAddresses() {
	p.media.mu.Lock()
	defer p.media.mu.Unlock()
	clear(p.media.live)
}

// ExpireNext lets the next n addresses be dead from the beginning.
func (p *Platform) ExpireNext(n int) {
	p.media.mu.Lock()
	defer p.media.mu.Unlock()
	p.media.dying = n
}

// Forget removes all media, as seven days do.
func (p *Platform) Forget() {
	p.media.mu.Lock()
	defer p.media.mu.Unlock()
	clear(p.media.items)
}

// PointTo lets the addresses told from now on lead to another base, scheme and
// host, as only a hostile Graph would.
func (p *Platform) PointTo(base string) {
	p.media.mu.Lock()
	defer p.media.mu.Unlock()
	p.media.base = base
}

func (l *library) put(id string, m medium) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.items == nil {
		l.items, l.live = map[string]medium{}, map[string]string{}
	}
	l.items[id] = m
}

func (l *library) find(id string) (medium, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, ok := l.items[id]
	return m, ok
}

// address tells a new address of a medium.
func (l *library) address(id string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lookups++
	hash := "AT" + sim.Digest(32, id, strconv.Itoa(l.lookups))
	if l.dying > 0 {
		l.dying--
	} else {
		l.live[hash] = id
	}
	expires := strconv.FormatInt(time.Now().Add(5*time.Minute).Unix(), 10)
	return l.base + "/whatsapp_business/attachments/?mid=" + id + "&ext=" + expires + "&hash=" + hash
}

// alive tells whether hash belongs to a working address of the medium.
func (l *library) alive(id, hash string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return id != "" && l.live[hash] == id
}

// lookup tells the address of a medium the way graph.facebook.com does.
func (p *Platform) lookup(w http.ResponseWriter, r *http.Request) {
	n, ok := p.caller(w, r)
	if !ok {
		return
	}
	id := r.PathValue("media")
	m, ok := p.media.find(id)
	if !ok || m.number != n.ID {
		failMissing(w, r, id)
		return
	}
	if asked := r.URL.Query().Get("phone_number_id"); asked != "" && asked != n.ID {
		// Assumed: the documentation says that this fails, but not how.
		fail(w, http.StatusBadRequest, graphError{Code: 100, Message: "(#100) Param phone_number_id does not match"})
		return
	}
	answer(w, http.StatusOK, Object{
		"messaging_product": "whatsapp", "id": id, "url": p.media.address(id), "mime_type": m.mimeType,
		"sha256": hex.EncodeToString(m.sum[:]), "file_size": len(m.data),
	})
}

// download serves an original the way lookaside.fbsbx.com does.
func (p *Platform) download(w http.ResponseWriter, r *http.Request) {
	n, ok := p.bearer(r)
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	id := r.URL.Query().Get("mid")
	m, ok := p.media.find(id)
	if !ok || m.number != n.ID || !p.media.alive(id, r.URL.Query().Get("hash")) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", m.mimeType)
	w.Header().Set("Content-Length", strconv.Itoa(len(m.data)))
	_, _ = w.Write(m.data)
}

// sum64 is a digest as the webhooks show it.
func sum64(sum [sha256.Size]byte) string { return base64.StdEncoding.EncodeToString(sum[:]) }

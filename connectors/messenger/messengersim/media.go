package messengersim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors/sim"
)

// cdn stands in for the host of Meta's content network.
const cdn = "/scontent.xx.fbcdn.net"

// library holds the photos that consumers sent, by the file's name.
type library struct {
	base string
	key  []byte

	mu    sync.Mutex
	files map[string]file
	// mids are the files of each message, in order.
	mids map[string][]string
	// expired counts how often all addresses have died.
	expired int
	// closed lets Graph tell nothing about messages, as for a token without the
	// permission.
	closed bool
}

type file struct {
	page string
	data []byte
}

// ExpireAddresses ends every address that was told so far.
func (p *Platform) ExpireAddresses() {
	p.media.mu.Lock()
	defer p.media.mu.Unlock()
	p.media.expired++
}

// Forget removes all photos from the content network; Graph still knows of them.
func (p *Platform) Forget() {
	p.media.mu.Lock()
	defer p.media.mu.Unlock()
	clear(p.media.files)
}

// CloseMessages makes Graph refuse to tell of messages from now on.
func (p *Platform) CloseMessages() {
	p.media.mu.Lock()
	defer p.media.mu.Unlock()
	p.media.closed = true
}

// put stores a photo of a message, and returns its address.
func (l *library) put(page Page, mid, part string, data []byte) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.files == nil {
		l.files, l.mids = map[string]file{}, map[string][]string{}
	}
	name := sim.Decimal(9, mid, part) + "_" + sim.Decimal(17, mid, part) + "_n.jpg"
	if _, again := l.files[name]; !again {
		l.mids[mid] = append(l.mids[mid], name)
	}
	l.files[name] = file{page.ID, data}
	return l.address(name)
}

// address returns a signed address of a file: oe is when it ends, in hex, and oh
// the signature over the name and that.
func (l *library) address(name string) string {
	oe := strings.ToUpper(strconv.FormatInt(time.Now().Add(120*time.Hour).Unix(), 16))
	query := "_nc_cat=1&ccb=1-7&_nc_sid=58c789&oh=" + l.sign(name, oe) + "&oe=" + oe
	return l.base + "/v/t1.15752-9/" + name + "?" + query
}

func (l *library) sign(name, oe string) string {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(strconv.Itoa(l.expired) + "/" + name + "/" + oe))
	return "00_" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// find returns a file by its name and a right signature.
func (l *library) find(name string, query url.Values) (f file, signed, there bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, there = l.files[name]
	want := l.sign(name, query.Get("oe"))
	return f, hmac.Equal([]byte(query.Get("oh")), []byte(want)), there
}

// again returns fresh addresses of a message's photos.
func (l *library) again(page Page, mid string) ([]string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []string
	for _, name := range l.mids[mid] {
		if f, ok := l.files[name]; ok && f.page != page.ID {
			return nil, false
		}
		list = append(list, l.address(name))
	}
	return list, len(list) > 0 && !l.closed
}

// download serves a photo the way Meta's content network does, which wants no
// credentials, and as has been seen denies what does not look like a browser.
func (p *Platform) download(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" || !strings.HasPrefix(r.UserAgent(), "Mozilla/5.0 ") {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f, signed, there := p.media.find(r.PathValue("name"), r.URL.Query())
	switch {
	case !signed:
		http.Error(w, "URL signature expired", http.StatusForbidden)
	case !there:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Content-Length", strconv.Itoa(len(f.data)))
		_, _ = w.Write(f.data)
	}
}

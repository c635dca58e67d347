// Package phones is the consumers' side of the demo: a page with a phone for each
// simulated platform, from which somebody who tries the gateway sends texts and
// photos, and on which the business's answers arrive.
//
// It promises that nothing but this machine's own browser can use it: it answers
// only under the address at which it listens, and no other site's page can send
// by it. What is said stays in memory, the newest of each phone, and is text on the
// page, whatever it holds. It is for the demo alone; no gateway serves it.
package phones

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/lightlock/lightlock/connectors/sim"
)

const (
	// MaxPhoto is the largest photo that can be sent, in bytes: more than every
	// channel's limit, so that a photo that is too large can be tried.
	MaxPhoto = 40 << 20
	// maxText and maxName cap what a person types, in bytes.
	maxText, maxName = 20 << 10, 200
	// maxItems is how much of what was said a phone shows, and maxImage how large a
	// picture beside it may be, in bytes.
	maxItems, maxImage = 50, 64 << 10
	// sendTime is how long a platform's calls may take.
	sendTime = 15 * time.Second
)

// Phone is one platform as its consumer holds it.
type Phone struct {
	// Channel names it in addresses, Title to people.
	Channel, Title string
	// Consumer is who writes unless the page says otherwise.
	Consumer string
	// Nameless tells that the platform's webhooks have no names in them, so that
	// agents see an id.
	Nameless bool
	// Say delivers what was said as the platform would.
	Say func(ctx context.Context, said sim.Said) error
	// Sent returns what consumers have got from the business, in order.
	Sent func() []sim.Sent
}

// Sample is a file that can be sent without having one.
type Sample struct {
	// Name is one word, and Label what people read.
	Name, Label string
	Make        func(p Phone) ([]byte, error)
}

// Options are what a page needs.
type Options struct {
	Phones  []Phone
	Samples []Sample
	// Console is the address of the agents' page.
	Console string
	// Small makes what a phone shows of a photo: a small picture, or nothing where
	// there is none.
	Small func(ctx context.Context, photo []byte) []byte
}

// Page serves the phones.
type Page struct {
	options Options
	shell   *template.Template
	mux     *http.ServeMux
	screens map[string]*screen // by channel
}

//go:embed page
var files embed.FS

// New makes the page. Said before, by channel, is what stands on the phones
// already.
func New(o Options, before map[string][]Item) (*Page, error) {
	shell, err := template.ParseFS(files, "page/index.html")
	if err != nil {
		return nil, fmt.Errorf("phones: %w", err)
	}
	assets, err := fs.Sub(files, "page")
	if err != nil {
		return nil, fmt.Errorf("phones: %w", err)
	}
	p := &Page{options: o, shell: shell, mux: http.NewServeMux(), screens: map[string]*screen{}}
	for _, phone := range o.Phones {
		s := &screen{}
		for _, item := range before[phone.Channel] {
			s.add(item)
		}
		p.screens[phone.Channel] = s
	}
	p.mux.HandleFunc("GET /{$}", p.index)
	p.mux.HandleFunc("GET /phones.json", p.state)
	p.mux.HandleFunc("POST /phones/{channel}", p.send)
	p.mux.HandleFunc("GET /pictures/{picture}", p.picture)
	for _, name := range []string{"phones.css", "phones.js", "phones.svg"} {
		p.mux.Handle("GET /"+name, http.FileServerFS(assets))
	}
	return p, nil
}

// Handler returns the page as it may stand at an address, host:port, on which it
// listens. A site that has its own name lead here is refused.
func (p *Page) Handler(address string) http.Handler {
	guarded := http.NewCrossOriginProtection().Handler(p.mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, port, _ := strings.Cut(address, ":")
		if r.Host != address && r.Host != "localhost:"+port {
			http.Error(w, "not here", http.StatusNotFound)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		guarded.ServeHTTP(w, r)
	})
}

func (p *Page) index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = p.shell.Execute(w, p.options) // whoever reads has gone
}

// send says what the form holds.
func (p *Page) send(w http.ResponseWriter, r *http.Request) {
	phone, ok := p.phone(r.PathValue("channel"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxPhoto+1<<20)
	said, item, err := p.read(r, phone)
	if err != nil {
		http.Error(w, sentence(err), http.StatusBadRequest)
		return
	}
	ctx, enough := context.WithTimeout(r.Context(), sendTime)
	defer enough()
	drawn := make(chan []byte, 1)
	go func() { drawn <- p.small(ctx, said.Photos) }()
	if err := phone.Say(ctx, said); err != nil {
		item.Failed = "Not sent: " + err.Error()
	}
	item.Image = <-drawn
	p.screens[phone.Channel].add(item)
	w.WriteHeader(http.StatusNoContent)
}

// sentence is what people read of an error.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:min(1, len(text))]) + text[min(1, len(text)):] + "."
}

// small is what the phone shows of the photo, if there is one. A small picture is shown
// as it is: that of a moving one moves.
func (p *Page) small(ctx context.Context, photos [][]byte) []byte {
	switch {
	case len(photos) == 0:
		return nil
	case len(photos[0]) <= maxImage && imageType(photos[0]) != "":
		return photos[0]
	case p.options.Small == nil:
		return nil
	}
	return p.options.Small(ctx, photos[0])
}

// picture serves what a phone shows of a photo.
func (p *Page) picture(w http.ResponseWriter, r *http.Request) {
	for _, s := range p.screens {
		if image := s.image(r.PathValue("picture")); image != nil {
			w.Header().Set("Content-Type", imageType(image))
			_, _ = w.Write(image) // whoever reads has gone
			return
		}
	}
	http.NotFound(w, r)
}

// imageType is the type of a picture that browsers may show, by its content, or
// nothing.
func imageType(data []byte) string {
	switch t := http.DetectContentType(data); t {
	case "image/jpeg", "image/png", "image/gif":
		return t
	}
	return ""
}

func (p *Page) phone(channel string) (Phone, bool) {
	for _, phone := range p.options.Phones {
		if phone.Channel == channel {
			return phone, true
		}
	}
	return Phone{}, false
}

// read makes a consumer's message of the form, and what the phone shows of it.
func (p *Page) read(r *http.Request, phone Phone) (said sim.Said, item Item, err error) {
	if err := r.ParseMultipartForm(MaxPhoto); err != nil { //nolint:gosec // send has capped the body
		return said, item, fmt.Errorf("the form cannot be read; a file may have %d MB at the most", MaxPhoto>>20)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	name := strings.TrimSpace(r.PostFormValue("consumer"))
	if name == "" {
		name = phone.Consumer
	}
	text := strings.TrimSpace(r.PostFormValue("text"))
	if len(name) > maxName || len(text) > maxText {
		return said, item, errors.New("that is too long")
	}
	said = sim.Said{ID: rand.Text(), Consumer: name, Name: name, Text: text, At: time.Now()}
	item = Item{From: name, Text: text, At: said.At}
	photo, label, err := p.photo(r, phone)
	if err != nil {
		return said, item, err
	}
	if photo != nil {
		said.Photos, item.Photo = [][]byte{photo}, label
	} else if text == "" {
		return said, item, errors.New("write something, or choose a file")
	}
	return said, item, nil
}

// photo returns the file or the sample that the form holds, if any.
func (p *Page) photo(r *http.Request, phone Phone) (data []byte, label string, err error) {
	if f, header, fileErr := r.FormFile("photo"); fileErr == nil {
		defer f.Close()
		data, err = io.ReadAll(io.LimitReader(f, MaxPhoto))
		if err != nil || len(data) == 0 {
			return nil, "", errors.New("the file is empty or cannot be read")
		}
		return data, Label(header.Filename, len(data)), nil
	}
	for _, s := range p.options.Samples {
		if s.Name == r.PostFormValue("sample") {
			data, err = s.Make(phone)
			return data, Label(s.Label, len(data)), err
		}
	}
	return nil, "", nil
}

// Label says what was sent in a photo's place.
func Label(name string, size int) string {
	if size < 1<<20 {
		return fmt.Sprintf("%s, %d kB", name, (size+1<<10-1)>>10)
	}
	return fmt.Sprintf("%s, %.1f MB", name, float64(size)/(1<<20))
}

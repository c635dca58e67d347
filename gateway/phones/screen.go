package phones

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors/sim"
)

// Item is one message on a phone.
type Item struct {
	// From is the consumer's name; empty for the business.
	From  string    `json:"from,omitempty"`
	Text  string    `json:"text,omitempty"`
	Photo string    `json:"photo,omitempty"`
	At    time.Time `json:"at"`
	// Failed says why it did not reach the gateway.
	Failed string `json:"failed,omitempty"`
	// Image is a small picture that stands in the photo's place, and Picture its
	// address on the page, which is given to it there.
	Image   []byte `json:"-"`
	Picture string `json:"picture,omitempty"`
}

// screen is what stands on one phone.
type screen struct {
	mu    sync.Mutex
	items []Item
	got   int // how many of the business's messages are among them
}

func (s *screen) add(item Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(item)
}

// keep gives a picture an address that nobody can guess and no other has.
func (s *screen) keep(item Item) {
	item.Picture = ""
	if len(item.Image) <= maxImage && imageType(item.Image) != "" {
		item.Picture = pictures + rand.Text()
	}
	s.items = append(s.items, item)
	if over := len(s.items) - maxItems; over > 0 {
		s.items = slices.Delete(s.items, 0, over)
	}
}

// look takes in what the business has sent meanwhile, and returns all.
func (s *screen) look(sent []sim.Sent) []Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range sent[min(s.got, len(sent)):] {
		s.keep(Item{Text: m.Text, At: time.Now()})
	}
	s.got = max(s.got, len(sent))
	return slices.Clone(s.items)
}

// pictures is how the address of a picture begins.
const pictures = "pictures/"

// image is the picture of that name, or nil.
func (s *screen) image(name string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, item := range s.items {
		if item.Picture == pictures+name {
			return item.Image
		}
	}
	return nil
}

// shown is one phone as the page's script reads it.
type shown struct {
	Channel string `json:"channel"`
	Items   []Item `json:"items"`
}

func (p *Page) state(w http.ResponseWriter, _ *http.Request) {
	list := make([]shown, 0, len(p.options.Phones))
	for _, phone := range p.options.Phones {
		items := p.screens[phone.Channel].look(phone.Sent())
		list = append(list, shown{phone.Channel, append([]Item{}, items...)})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(list) // whoever reads has gone
}

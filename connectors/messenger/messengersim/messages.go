package messengersim

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// Object is a JSON object.
type Object = map[string]any

// Entry is what happened on one Page. The channel is "messaging", or "standby"
// for conversations that another app holds.
func Entry(page Page, at time.Time, channel string, items ...any) Object {
	return Object{"id": page.ID, "time": at.UnixMilli() + 112, channel: items}
}

// Items returns the items that Messenger makes of what was said: a text, and one
// message with all photos. They come apart, because a message carries text or
// attachments.
func (p *Platform) Items(page Page, s sim.Said) []any {
	var items []any
	if s.Text != "" {
		items = append(items, p.Item(page, s, "message", Object{"mid": MID(s.ID, "text"), "text": s.Text}))
	}
	if len(s.Photos) > 0 {
		mid := MID(s.ID, "photos")
		var list []any
		for i, photo := range s.Photos {
			list = append(list, Object{"type": "image", "payload": Object{"url": p.media.put(page, mid, strconv.Itoa(i), photo)}})
		}
		items = append(items, p.Item(page, s, "message", Object{"mid": mid, "attachments": list}))
	}
	return items
}

// Item returns one item of any kind, whose content stands under the kind's
// name. Who has sent one can be written to.
func (p *Platform) Item(page Page, s sim.Said, kind string, content any) Object {
	psid := PSID(page, s.Consumer)
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.people[psid]; !known {
		p.people[psid] = graphError{}
	}
	return Object{
		"sender": Object{"id": psid}, "recipient": Object{"id": page.ID},
		"timestamp": s.At.UnixMilli(), kind: content,
	}
}

// Unsend implements sim.Unsender.
func (p *Platform) Unsend(address string, s sim.Said) (*connectors.Request, error) {
	return p.change(address, s, "message", Object{"mid": MID(s.ID, part(s)), "is_deleted": true})
}

// Edit implements sim.Editor.
func (p *Platform) Edit(address string, s sim.Said, text string) (*connectors.Request, error) {
	return p.change(address, s, "message_edit", Object{"mid": MID(s.ID, part(s)), "text": text, "num_edit": 1})
}

func (p *Platform) change(address string, s sim.Said, kind string, content Object) (*connectors.Request, error) {
	return p.Call(address, Entry(p.Pages[0], s.At, "messaging", p.Item(p.Pages[0], s, kind, content)))
}

// part is what the one message of what was said is called.
func part(s sim.Said) string {
	if len(s.Photos) > 0 {
		return "photos"
	}
	return "text"
}

// Echo returns the item by which an app hears what the Page itself has said.
func (p *Platform) Echo(page Page, s sim.Said) Object {
	return Object{
		"sender": Object{"id": page.ID}, "recipient": Object{"id": PSID(page, s.Consumer)}, "timestamp": s.At.UnixMilli(),
		"message": Object{"mid": MID(s.ID, "echo"), "is_echo": true, "app_id": 1517776481860111, "text": s.Text},
	}
}

// PSID is the id of a consumer, which is scoped to the Page.
func PSID(page Page, consumer string) string { return sim.Decimal(16, page.ID, consumer) }

// MID is the id of one part of what was said.
func MID(id, part string) string { return "m_" + sim.Digest(40, id, part) + "-_" }

// escape writes every character beyond ASCII as \u with lower-case digits and
// every slash as \/, the form in which Meta sends and signs JSON. The body has
// no escaped slash yet.
func escape(body []byte) []byte {
	var out bytes.Buffer
	for len(body) > 0 {
		r, size := utf8.DecodeRune(body)
		switch {
		case r == '/':
			out.WriteString(`\/`)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		case r > 0x7e:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteByte(body[0])
		}
		body = body[size:]
	}
	return out.Bytes()
}

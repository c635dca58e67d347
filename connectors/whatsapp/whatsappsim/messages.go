package whatsappsim

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// Object is a JSON object.
type Object = map[string]any

// Entry is what happened in one WhatsApp Business Account.
func Entry(waba string, changes ...any) any { return Object{"id": waba, "changes": changes} }

// Change is what happened at one number: value holds some of contacts,
// messages, statuses and errors.
func (n Number) Change(value Object) any { return n.Field("messages", value) }

// Field is like Change, of another webhook field such as smb_message_echoes.
func (n Number) Field(field string, value Object) any {
	value["messaging_product"] = "whatsapp"
	value["metadata"] = Object{"display_phone_number": n.Phone, "phone_number_id": n.ID}
	return Object{"field": field, "value": value}
}

// Messages returns the messages that WhatsApp makes of what was said: a text,
// or one for each photo, the first with the text as its caption.
func (p *Platform) Messages(n Number, s sim.Said) []any {
	p.meets(n, s.Consumer)
	if len(s.Photos) == 0 {
		return []any{Message(s, "text", "text", Object{"body": s.Text})}
	}
	var messages []any
	for i, photo := range s.Photos {
		part := "photo" + strconv.Itoa(i)
		image := p.Media(n, Wamid(s.ID, part), http.DetectContentType(photo), photo)
		if i == 0 && s.Text != "" {
			image["caption"] = s.Text
		}
		messages = append(messages, Message(s, part, "image", image))
	}
	return messages
}

// Message returns one message of any type, whose content stands under the
// type's name. The part tells messages apart that were said together.
func Message(s sim.Said, part, kind string, content any) Object {
	return Object{
		"from": Phone(s.Consumer), "from_user_id": UserID(s.Consumer), "id": Wamid(s.ID, part),
		"timestamp": strconv.FormatInt(s.At.Unix(), 10), "type": kind, kind: content,
	}
}

// Edit says the text of an earlier message anew, and Revoke takes the message
// back. Only a number that the business also uses in its app hears of either.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/edit
func Edit(s sim.Said, earlier string) Object {
	return Message(s, "edit", "edit", Object{"original_message_id": earlier, "message": Object{
		"context": Object{"id": strings.TrimPrefix(earlier, "wamid.")}, "type": "text", "text": Object{"body": s.Text},
	}})
}

// Revoke is described at Edit.
func Revoke(s sim.Said, earlier string) Object {
	return Message(s, "revoke", "revoke", Object{"original_message_id": earlier})
}

// Unsend implements sim.Unsender.
func (p *Platform) Unsend(address string, s sim.Said) (*connectors.Request, error) {
	return p.change(address, s, Revoke(s, Wamid(s.ID, part(s))))
}

// Edit implements sim.Editor.
func (p *Platform) Edit(address string, s sim.Said, text string) (*connectors.Request, error) {
	earlier := Wamid(s.ID, part(s))
	s.Text = text
	return p.change(address, s, Edit(s, earlier))
}

func (p *Platform) change(address string, s sim.Said, message any) (*connectors.Request, error) {
	n := p.Numbers[0]
	return p.Call(address, Entry(n.WABA, n.Change(Object{"contacts": Contacts(s), "messages": []any{message}})))
}

// part is what the one message of what was said is called.
func part(s sim.Said) string {
	if len(s.Photos) > 0 {
		return "photo0"
	}
	return "text"
}

// Status tells what became of a message that the business sent.
func Status(wamid, status, consumer string, at time.Time) Object {
	return Object{
		"id": wamid, "status": status, "timestamp": strconv.FormatInt(at.Unix(), 10),
		"recipient_id": Phone(consumer), "recipient_user_id": UserID(consumer),
	}
}

// Contacts returns who said it all, each once.
func Contacts(said ...sim.Said) []any {
	seen := map[string]bool{}
	contacts := []any{}
	for _, s := range said {
		if !seen[s.Consumer] {
			contacts = append(contacts, Object{
				"profile": Object{"name": s.Name}, "wa_id": Phone(s.Consumer), "user_id": UserID(s.Consumer),
			})
		}
		seen[s.Consumer] = true
	}
	return contacts
}

// Phone is a consumer's number, UserID the id scoped to the business.
func Phone(consumer string) string { return "351" + sim.Decimal(9, "phone", consumer) }

// UserID is the id of a consumer that is scoped to the business: a country, a
// dot and letters or digits.
func UserID(consumer string) string { return "PT." + sim.Decimal(16, "user", consumer) }

// Wamid is the id of one part of what was said.
func Wamid(id, part string) string {
	return "wamid." + base64.StdEncoding.EncodeToString([]byte("\x1d\x18\x14"+sim.Digest(32, id, part)))
}

// escape writes every character beyond ASCII as \u and every slash as \/, the
// form in which Meta sends and signs JSON.
func escape(body []byte) []byte {
	var out bytes.Buffer
	for len(body) > 0 {
		r, size := utf8.DecodeRune(body)
		switch {
		case r == utf8.RuneError && size == 1:
			out.WriteByte(body[0]) // not JSON, so sent as it is
		case r == '/' && !bytes.HasSuffix(out.Bytes(), []byte(`\`)):
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

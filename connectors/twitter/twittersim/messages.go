package twittersim

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lightlock/lightlock/connectors/sim"
)

// Object is a JSON object.
type Object = map[string]any

// webClient is the id of the app that consumers in a browser use.
const webClient = "268278"

// Account returns a webhook of the Account Activity API with these messages.
func (p *Platform) Account(messages ...Object) Object {
	if messages == nil {
		messages = []Object{}
	}
	return Object{
		"for_user_id":           p.UserID,
		"direct_message_events": messages,
		"apps":                  Object{webClient: Object{"id": webClient, "name": "Twitter Web Client", "url": "https://x.com"}},
		"users": p.users(messages, func(id, name string) Object {
			return Object{"id": id, "created_timestamp": "1422556069340", "name": name, "screen_name": strings.ToLower(name), "protected": false}
		}),
	}
}

// ActivityOf returns a webhook of the X Activity API: an activity of this kind
// with these messages.
func (p *Platform) ActivityOf(kind string, messages ...Object) Object {
	payload := Object{"direct_message_events": messages, "users": p.users(messages, func(id, name string) Object {
		return Object{"data": Object{"id": id, "name": name, "username": strings.ToLower(name)}}
	})}
	data := Object{
		"filter": Object{"user_id": p.UserID}, "event_type": kind, "tag": "lightlock", "payload": payload,
		"event_uuid": "-" + sim.Decimal(19, kind, string(mustJSON(messages))),
	}
	return Object{"data": data}
}

func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // it is made of texts and numbers
	}
	return data
}

// users tells of everybody who has written one of the messages.
func (p *Platform) users(messages []Object, of func(id, name string) Object) Object {
	p.mu.Lock()
	defer p.mu.Unlock()
	users := Object{}
	for _, m := range messages {
		created, _ := m["message_create"].(Object)
		id, _ := created["sender_id"].(string)
		if name, known := p.people[id]; known {
			users[id] = of(id, name)
		}
	}
	return users
}

// Messages returns the messages that X makes of what was said: one for each
// photo, of which the first carries the text.
func (p *Platform) Messages(s sim.Said) []Object {
	p.mu.Lock()
	p.people[UserID(s.Consumer)] = s.Name
	p.mu.Unlock()
	if len(s.Photos) == 0 {
		return []Object{p.Message(s, "text", Object{"text": escaped(s.Text), "entities": entities()})}
	}
	var messages []Object
	for i, photo := range s.Photos {
		part := "photo" + strconv.Itoa(i)
		text := ""
		if i == 0 {
			text = s.Text
		}
		messages = append(messages, p.Message(s, part, p.WithMedia(s, part, text, "photo")))
		p.photos.Put(key(MessageID(s.ID, part), MediaID(s.ID, part), fileName(s.ID, part)), photo)
	}
	return messages
}

// Message returns one direct message from a consumer to the account.
func (p *Platform) Message(s sim.Said, part string, data Object) Object {
	return Object{
		"type": "message_create", "id": MessageID(s.ID, part), "created_timestamp": strconv.FormatInt(s.At.UnixMilli(), 10),
		"message_create": Object{
			"target": Object{"recipient_id": p.UserID}, "sender_id": UserID(s.Consumer), "source_app_id": webClient,
			"message_data": data,
		},
	}
}

// WithMedia returns what a message with an attachment says: behind the text there
// is a link to it.
func (p *Platform) WithMedia(s sim.Said, part, text, kind string) Object {
	link := "https://t.co/" + sim.Digest(10, s.ID, part, "link")
	before := escaped(text) + " "
	indices := []int{utf8.RuneCountInString(before), utf8.RuneCountInString(before) + len(link)}
	address := MediaURL(s.ID, part)
	media := Object{
		"id": json.Number(MediaID(s.ID, part)), "id_str": MediaID(s.ID, part), "type": kind, "indices": indices, "url": link,
		"media_url": address, "media_url_https": address, "display_url": "pic.twitter.com/" + link[len("https://t.co/"):],
		"expanded_url": "https://twitter.com/messages/media/" + MessageID(s.ID, part),
		"sizes": Object{
			"thumb": Object{"w": 150, "h": 150, "resize": "crop"}, "large": Object{"w": 2048, "h": 1536, "resize": "fit"},
		},
	}
	if kind != "photo" {
		media["video_info"] = Object{"aspect_ratio": []int{1, 1}, "variants": []Object{{
			"bitrate": 0, "content_type": "video/mp4", "url": "https://video.twimg.com/dm_gif/" + MediaID(s.ID, part) + "/x.mp4",
		}}}
	}
	return Object{
		"text": before + link, "attachment": Object{"type": "media", "media": media},
		"entities": entities(Object{
			"url": link, "indices": indices, "expanded_url": media["expanded_url"], "display_url": media["display_url"],
		}),
	}
}

func entities(urls ...Object) Object {
	if urls == nil {
		urls = []Object{}
	}
	return Object{"hashtags": []any{}, "symbols": []any{}, "user_mentions": []any{}, "urls": urls}
}

// escaped writes a text as X does in its payloads.
func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// UserID is X's id of a consumer.
func UserID(consumer string) string { return "2" + sim.Decimal(18, "user", consumer) }

// MessageID is X's id of one part of what was said: "text", or "photo0" and so
// on.
func MessageID(id, part string) string { return "19" + sim.Decimal(17, id, part) }

// MediaID is X's id of a photo.
func MediaID(id, part string) string { return "19" + sim.Decimal(17, id, part, "media") }

func fileName(id, part string) string { return sim.Digest(8, id, part, "file") + ".jpg" }

// MediaURL is the address of a photo.
func MediaURL(id, part string) string {
	return "https://ton.twitter.com/1.1/ton/data/dm/" + key(MessageID(id, part), MediaID(id, part), fileName(id, part))
}

// key is the part of a photo's address that names it.
func key(message, media, file string) string { return message + "/" + media + "/" + file }

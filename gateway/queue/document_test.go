package queue_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/media"
)

var berlin = time.FixedZone("CET", 3600)

// fullDocument uses every field there is.
func fullDocument() queue.Document {
	photo := hash("photo")
	picture := func(href string) *queue.Picture {
		return &queue.Picture{Href: href, Type: "image/jpeg", Bytes: 30_000, Width: 240, Height: 240}
	}
	return queue.Document{
		ID: hash("event"), Type: queue.MessageReceived, Account: "whatsapp/acme/shop",
		Conversation: hash("conversation")[:32], Time: time.Date(2026, 11, 22, 12, 0, 0, 5e6, berlin),
		Data: queue.MessageData{
			Channel: "whatsapp", Consumer: queue.Consumer{ID: "+49…", Name: "Ana"}, Seq: 7, Late: true,
			Text: "<b>\u2028 here", SentAt: time.Date(2026, 11, 22, 12, 0, 0, 0, berlin),
			ReceivedAt: time.Date(2026, 11, 22, 12, 0, 1, 0, berlin),
			Album:      &queue.Album{ID: "album", Index: 1, Total: 2}, MessageID: "m-2", ReplyTo: "m-1",
			Photos: []queue.Photo{
				{
					ID: photo, Status: queue.Ready, Damaged: true,
					Source:    &queue.Source{Type: "image/jpeg", Bytes: 4_000_000, Width: 4000, Height: 3000},
					Preview:   picture(queue.PreviewHref(photo)),
					Thumbnail: picture(queue.ThumbnailHref(photo)),
				},
				{ID: photo, Status: queue.Rejected, Reason: string(media.Animated), Source: &queue.Source{Bytes: 9}},
				{ID: photo, Status: queue.Pending},
			},
		},
	}
}

func plainDocument() queue.Document {
	return queue.Document{
		ID: hash("event"), Type: queue.MessageReceived, Account: "line/acme", Conversation: hash("c")[:32],
		Time: time.Unix(1, 0),
		Data: queue.MessageData{
			Channel: "line", Consumer: queue.Consumer{ID: "U1"}, Seq: 1, Text: "hello", ReceivedAt: time.Unix(1, 0),
		},
	}
}

// documents are one of each kind.
func documents() map[string]queue.Document {
	all := map[string]queue.Document{"full": fullDocument(), "plain": plainDocument()}
	settled := fullDocument()
	settled.ID, settled.Type, settled.Data = queue.SettledID(hash("event")), queue.PhotoSettled, queue.SettledData{
		Channel: "line", Consumer: queue.Consumer{ID: "U1"}, MessageID: "m-2", Message: hash("event"), Seq: 7,
		Photos: fullDocument().Data.(queue.MessageData).Photos[:2],
	}
	all["settled"] = settled
	text := ""
	for name, data := range map[queue.DocumentType]queue.ChangeData{
		queue.MessageEdited:      {MessageID: "m-1", Message: hash("message"), Text: &text, SentAt: time.Unix(1, 0).In(berlin)},
		queue.MessageUnsent:      {MessageID: "m-1"},
		queue.ConversationClosed: {ClosedBy: &queue.ClosedBy{Kind: queue.ActorAgent, ID: "ben"}},
	} {
		d := plainDocument()
		data.Channel, data.Consumer.ID, data.ReceivedAt = "line", "U1", time.Unix(1, 0).In(berlin)
		d.Type, d.Data = name, data
		all[string(name)] = d
	}
	return all
}

func TestDocumentsMatchTheirSchemaAndCloudEvents(t *testing.T) {
	t.Parallel()
	for name, document := range documents() {
		text, err := document.Marshal()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		queuetest.CheckDocument(t, text)
		if name == "plain" && strings.Contains(string(text), "sent_at") {
			t.Errorf("a time that nobody has told is told: %s", text)
		}
		var event cloudevents.Event
		if err := json.Unmarshal(text, &event); err != nil {
			t.Fatalf("%s: the CloudEvents library cannot read it: %v", name, err)
		}
		if err := event.Validate(); err != nil {
			t.Errorf("%s: the CloudEvents library says: %v", name, err)
		}
		if event.ID() != document.ID || event.Source() != document.Account || event.Subject() != document.Conversation ||
			event.Type() != string(document.Type) || !event.Time().Equal(document.Time) ||
			event.DataSchema() != document.Type.Schema() {
			t.Errorf("%s: the CloudEvents library reads %v", name, event)
		}
		var data struct{ Account, Channel, Conversation string }
		if err := event.DataAs(&data); err != nil || data.Channel == "" || data.Account != document.Account || data.Conversation != document.Conversation {
			t.Errorf("%s: got data %+v, error %v", name, data, err)
		}
	}
}

// parse makes a document a tree that a test can damage.
func parse(t *testing.T, d queue.Document) map[string]any {
	t.Helper()
	text, err := d.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestTheSchemaRefusesWhatIsNoDocument(t *testing.T) {
	t.Parallel()
	photo := func(data map[string]any, n int) map[string]any { return data["photos"].([]any)[n].(map[string]any) }
	for name, damage := range map[string]func(event, data map[string]any){
		"an attribute that is none":     func(event, _ map[string]any) { event["platform_url"] = "x" },
		"a field that is none":          func(_, data map[string]any) { data["token"] = "x" },
		"a photo's field that is none":  func(_, data map[string]any) { photo(data, 0)["url"] = "https://example.com" },
		"another version":               func(event, _ map[string]any) { event["specversion"] = "0.3" },
		"no id":                         func(event, _ map[string]any) { delete(event, "id") },
		"a time that is none":           func(event, _ map[string]any) { event["time"] = "yesterday" },
		"a time with an offset":         func(_, data map[string]any) { data["sent_at"] = "2026-11-22T12:00:00+01:00" },
		"a source with a query":         func(event, _ map[string]any) { event["source"] = "line/acme?x=1" },
		"a conversation that is none":   func(event, _ map[string]any) { event["subject"] = "12" },
		"seq zero":                      func(_, data map[string]any) { data["seq"] = 0 },
		"no photos at all":              func(_, data map[string]any) { delete(data, "photos") },
		"late but false":                func(_, data map[string]any) { data["late"] = false },
		"an unknown reason":             func(_, data map[string]any) { photo(data, 1)["reason"] = "ugly" },
		"rejected without a reason":     func(_, data map[string]any) { delete(photo(data, 1), "reason") },
		"rejected with a preview":       func(_, data map[string]any) { photo(data, 1)["preview"] = photo(data, 0)["preview"] },
		"ready without a thumbnail":     func(_, data map[string]any) { delete(photo(data, 0), "thumbnail") },
		"ready with a reason":           func(_, data map[string]any) { photo(data, 0)["reason"] = "corrupt" },
		"pending with a preview":        func(_, data map[string]any) { photo(data, 2)["preview"] = photo(data, 0)["preview"] },
		"a thumbnail that is too large": func(_, data map[string]any) { photo(data, 0)["thumbnail"].(map[string]any)["bytes"] = 30_001 },
		"a preview from elsewhere": func(_, data map[string]any) {
			photo(data, 0)["preview"].(map[string]any)["href"] = "https://example.com/"
		},
		"a preview for a thumbnail": func(_, data map[string]any) { photo(data, 0)["thumbnail"] = photo(data, 0)["preview"] },
		"a PNG":                     func(_, data map[string]any) { photo(data, 0)["preview"].(map[string]any)["type"] = "image/png" },
	} {
		event := parse(t, fullDocument())
		damage(event, event["data"].(map[string]any))
		text, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		var refused *jsonschema.ValidationError
		if err := queuetest.Validate(text); !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want the schema to refuse it", name, err)
		}
	}
}

func TestWhatSettlesPhotosLeavesNoneOpen(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(event, data map[string]any){
		"a photo that is pending still": func(_, data map[string]any) {
			photo := data["photos"].([]any)[0].(map[string]any)
			photo["status"] = "pending"
			delete(photo, "preview")
			delete(photo, "thumbnail")
			delete(photo, "damaged")
		},
		"photos of no message": func(_, data map[string]any) { delete(data, "message") },
		"no photos at all":     func(_, data map[string]any) { delete(data, "photos") },
	} {
		event := parse(t, documents()["settled"])
		damage(event, event["data"].(map[string]any))
		text, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		var refused *jsonschema.ValidationError
		if err := queuetest.Validate(text); !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want the schema to refuse it", name, err)
		}
	}
}

// What one schema cannot say: that the parts of a document fit together.
func TestTheAttributesFitTheData(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(event, data map[string]any){
		"a schema that is not served": func(event, _ map[string]any) { event["dataschema"] = "urn:lightlock:schema:none:1" },
		"another account inside":      func(_, data map[string]any) { data["account"] = "line/other" },
		"another conversation inside": func(_, data map[string]any) { data["conversation"] = hash("other")[:32] },
		"another type":                func(event, _ map[string]any) { event["type"] = "lightlock.message.edited" },
	} {
		event := parse(t, fullDocument())
		damage(event, event["data"].(map[string]any))
		text, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		if err := queuetest.Validate(text); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// Every reason of the darkroom must be in the schema, or its document would be
// refused on the day it first appears.
func TestTheSchemaKnowsEveryReason(t *testing.T) {
	t.Parallel()
	for _, reason := range []media.Reason{
		media.TooLarge, media.UnsupportedType, media.Animated, media.TooManyPixels, media.TooComplex,
		media.Corrupt, media.Expired, media.Unreachable, media.Disabled,
	} {
		document := fullDocument()
		data := document.Data.(queue.MessageData)
		data.Photos = []queue.Photo{{ID: hash("photo"), Status: queue.Rejected, Reason: string(reason)}}
		document.Data = data
		text, err := document.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		queuetest.CheckDocument(t, text)
	}
}

// A reader of today must not stumble over what a later release adds.
func TestReadersOfTodayReadTheDocumentsOfTomorrow(t *testing.T) {
	t.Parallel()
	for name, add := range map[string]func(event, data map[string]any){
		"an attribute of CloudEvents": func(event, _ map[string]any) { event["traceparent"] = "00-0af7-b7ad-01" },
		"a field":                     func(_, data map[string]any) { data["automatic"] = true },
		"a photo's field": func(_, data map[string]any) {
			data["photos"].([]any)[0].(map[string]any)["description"] = "a cat"
		},
		"a type": func(event, data map[string]any) {
			event["type"], event["dataschema"] = "lightlock.photo.described", "urn:lightlock:schema:lightlock.photo.described:1"
			delete(data, "photos")
		},
	} {
		event := parse(t, fullDocument())
		add(event, event["data"].(map[string]any))
		text, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		if err := queuetest.ValidateAsReader(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := queuetest.Validate(text); err == nil {
			t.Errorf("%s: our own tests would let it pass unnoticed", name)
		}
	}
}

func TestSchemasAreFoundByTheirName(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	files, err := fs.ReadDir(queue.Schemas(), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(queue.Schemas(), file.Name())
		if err != nil {
			t.Fatal(err)
		}
		var head struct {
			ID    string `json:"$id"`
			Title string `json:"title"`
		}
		if err := json.Unmarshal(text, &head); err != nil {
			t.Fatalf("%s: %v", file.Name(), err)
		}
		if head.ID != "urn:lightlock:schema:"+head.Title+":1" || file.Name() != head.Title+".json" {
			t.Errorf("%s has $id %q and title %q", file.Name(), head.ID, head.Title)
		}
		found[head.ID] = true
	}
	if !maps.Equal(found, map[string]bool{
		"urn:lightlock:schema:event:1": true, queue.MessageReceived.Schema(): true, queue.MessageEdited.Schema(): true,
		queue.MessageUnsent.Schema(): true, queue.ConversationClosed.Schema(): true, queue.PhotoSettled.Schema(): true,
	}) {
		t.Errorf("got %v", found)
	}
}

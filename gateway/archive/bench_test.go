package archive

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// BenchmarkMove moves conversations of 20 messages, three of them with a photo, into
// files, and says how large their documents are.
func BenchmarkMove(b *testing.B) {
	s, err := store.New(config.Config{Data: b.TempDir()}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	r := newRedis()
	a := newArchive(s.Documents(), r)
	for n := 0; b.Loop(); n++ {
		c := head(q, n, "Ana Ñuñez", "and when will it be here?")
		r.here = &queue.Snapshot{Conversation: c}
		for i := range 20 {
			m := &queue.MessageData{Seq: int64(i), MessageID: fmt.Sprint(n*20 + i), Text: fmt.Sprintf("Message %d of %d: where is my order, and when will it be here?", i, n), ReceivedAt: noon.Add(time.Duration(i) * time.Minute)}
			if i%7 == 0 {
				id := fmt.Sprintf("%s.%032x.0", q, n*20+i)
				picture := &queue.Picture{Href: "/v1/photos/" + id + "/preview", Type: "image/jpeg", Bytes: 412_000, Width: 2048, Height: 1536}
				m.Photos = []queue.Photo{{ID: id, Status: queue.Ready, Preview: picture, Thumbnail: picture, Source: &queue.Source{Type: "image/jpeg", Bytes: 4 << 20, Width: 4032, Height: 3024}}}
			}
			r.here.Items = append(r.here.Items, queue.ConversationItem{ID: fmt.Sprintf("%064x", n*20+i), Position: queue.Position(int64(i)), Arrival: int64(i), From: queue.ActorConsumer, Message: m})
		}
		if _, err := a.move(b.Context(), q, c.ID); err != nil {
			b.Fatal(err)
		}
		if n == 0 {
			data, err := s.Documents().Get(b.Context(), documentOf(q, c.ID, 1))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(len(data)), "B/document")
		}
	}
}

package inbound_test

import (
	"image/jpeg"
	"log/slog"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/store/s3test"
)

// A bucket whose server is gone delays photos for as long as it is, and no photo
// is ready without its pictures.
func TestABucketThatIsAway(t *testing.T) {
	h := newHouse(t, startLINE(t))
	g := h.open()
	server := s3test.Start(t)
	bucket, err := store.New(config.Config{Store: server.Store()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bucket.Close() })
	g.Store = bucket
	server.Kill()
	g.work().receive(photo("a", picture(t, 20, 20)))
	g.await("the photo is delayed", func(queue.Stats) bool {
		return g.figures("lightlock_trouble_total")["ours photo"] >= 2
	})
	if got := g.figures("lightlock_photos_total"); len(got) != 0 {
		t.Errorf("a photo was settled without a store: %v", got)
	}
	server.Restart()
	p := g.photo()
	if p.Status != queue.Ready {
		t.Fatalf("photo is %s %s, want ready", p.Status, p.Reason)
	}
	for kind, said := range map[store.Kind]*queue.Picture{store.Preview: p.Preview, store.Thumbnail: p.Thumbnail} {
		key, err := store.ParsePhotoID(strings.Split(said.Href, "/")[3])
		if err != nil {
			t.Fatal(err)
		}
		key.Kind = kind
		f, err := bucket.Open(t.Context(), key)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if head, err := jpeg.DecodeConfig(f); err != nil || head.Width != said.Width {
			t.Errorf("%s is stored %d wide, error %v; the document says %d", kind, head.Width, err, said.Width)
		}
		_ = f.Close()
	}
}

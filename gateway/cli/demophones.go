package cli

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/gateway/budget"
	"github.com/lightlock/lightlock/gateway/darkroom"
	"github.com/lightlock/lightlock/gateway/phones"
	"github.com/lightlock/lightlock/media"
)

// consumers are who writes on which simulated channel: agents tell conversations
// apart by their names.
func consumers(channel string) string {
	names := map[string]string{
		"apple": "Noah", "messenger": "Elif", "twilio": "Jonas", "whatsapp": "Chidi",
		"line": "Ana", "viber": "Mei", "twitter": "Sofia",
	}
	if name, ok := names[channel]; ok {
		return name
	}
	return "Ana"
}

// nameless tells whether a platform's webhooks have no names of consumers in them, so
// that agents see an id where the phone has a name.
func nameless(channel string) bool {
	return slices.Contains([]string{"apple", "messenger", "twilio", "line"}, channel)
}

// question is what they write below their photo.
const question = "Hello! It arrived like this. Can you help me?"

// stage is the consumers' side of simulated platforms, as a page on this machine.
type stage struct {
	// Address is where the page is: host and port.
	Address string

	server *http.Server
	done   chan struct{}
	small  small
}

// openStage serves the phones of the platforms, which reach a gateway by c.
func openStage(ctx context.Context, platforms []simulated, c *client, console string, before map[string][]phones.Item) (*stage, error) {
	small, err := newSmall() //nolint:contextcheck // it lives as long as the page
	if err != nil {
		return nil, err
	}
	options := phones.Options{Console: console, Samples: samples(platforms), Small: small.picture}
	for _, p := range platforms {
		options.Phones = append(options.Phones, phones.Phone{
			Channel: p.Name, Title: p.Title, Consumer: consumers(p.Name), Nameless: nameless(p.Name), Sent: p.Sent,
			Say: func(ctx context.Context, said sim.Said) error { return p.say(ctx, c, said) },
		})
	}
	page, err := phones.New(options, before)
	var l net.Listener
	if err == nil {
		l, err = (&net.ListenConfig{}).Listen(context.WithoutCancel(ctx), "tcp", "127.0.0.1:0")
	}
	if err != nil {
		_ = small.room.Close()
		return nil, err
	}
	s := &stage{Address: l.Addr().String(), done: make(chan struct{}), small: small}
	s.server = &http.Server{
		Handler: page.Handler(s.Address), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, IdleTimeout: time.Minute,
	}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(l) // until close
	}()
	return s, nil
}

func (s *stage) close() {
	_ = s.server.Close()
	<-s.done
	_ = s.small.room.Close()
}

// samples are photos to try the darkroom with: one of each sort of verdict.
func samples(platforms []simulated) []phones.Sample {
	limits := map[string]int64{}
	for _, p := range platforms {
		limits[p.Name] = int64(p.PhotoLimit)
	}
	return []phones.Sample{
		{Name: "photo", Label: "A photo, 12 megapixels, lying on its side", Make: func(p phones.Phone) ([]byte, error) { return demoPhoto(p.Title) }},
		{Name: "moving", Label: "A moving GIF", Make: func(phones.Phone) ([]byte, error) { return movingGIF() }},
		{Name: "cut", Label: "A photo that breaks off", Make: func(p phones.Phone) ([]byte, error) {
			whole, err := demoPhoto(p.Title)
			return whole[:len(whole)/4], err
		}},
		{Name: "large", Label: "A file that is too large", Make: func(p phones.Phone) ([]byte, error) {
			whole, err := demoPhoto(p.Title)
			return append(whole, make([]byte, max(0, limits[p.Channel]+1-int64(len(whole))))...), err
		}},
		{Name: "pdf", Label: "A PDF", Make: func(phones.Phone) ([]byte, error) { return []byte("%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"), nil }},
	}
}

// movingGIF makes a picture of two frames.
func movingGIF() ([]byte, error) {
	const side = 64
	moving := gif.GIF{}
	for i := range 2 {
		frame := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.RGBA{0x8f, 0x4a, 0, 0xff}})
		for y := range side {
			frame.SetColorIndex((y+i*side/2)%side, y, 1)
		}
		moving.Image, moving.Delay = append(moving.Image, frame), append(moving.Delay, 20)
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &moving)
	return b.Bytes(), err
}

// ask has every consumer write below the photo, so that agents find seven
// conversations as they would in life.
func (d *demo) ask(ctx context.Context) (err error) {
	for _, p := range d.platforms {
		name := consumers(p.Name)
		said := sim.Said{ID: sim.Secret(), Consumer: name, Name: name, Text: question, At: time.Now()}
		err = errors.Join(err, p.say(ctx, d.client, said))
		d.phones[p.Name] = append(d.phones[p.Name], phones.Item{From: name, Text: question, At: said.At})
	}
	return err
}

// small makes small pictures of photos, as a gateway does: whoever tries the demo may
// choose a file that somebody else has made.
type small struct{ room *darkroom.Darkroom }

// newSmall starts no process before there is a photo.
func newSmall() (small, error) {
	plan := budget.Enough(phones.MaxPhoto, budget.ContainerLimit("/"))
	room, err := darkroom.New(darkroom.Options{Idle: -1, Most: 1, Memory: plan.Children, Log: slog.New(slog.DiscardHandler)})
	return small{room}, err
}

// picture is a photo's thumbnail, or nil.
func (s small) picture(ctx context.Context, photo []byte) []byte {
	settings := media.Default()
	settings.MaxBytes, settings.ShowDamaged = phones.MaxPhoto, true
	developed, err := s.room.Develop(ctx, photo, settings)
	if err != nil {
		return nil
	}
	return developed.Thumbnail.Data
}

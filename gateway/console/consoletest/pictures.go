package consoletest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"net/http"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// Ready is a photo that was developed, of that size. Each number is another
// picture.
func Ready(number, width, height int) Photo {
	id := fmt.Sprintf("%s.%032x.0", Queue, number)
	picture := func(kind string, w, h int) *Picture {
		return &Picture{Href: fmt.Sprintf("/v1/photos/%s/%s?size=%dx%d", id, kind, w, h), Type: "image/jpeg", Bytes: 100_000, Width: w, Height: h}
	}
	return Photo{
		ID: id, Status: "ready", Source: &Source{Type: "image/jpeg", Bytes: 4_100_000, Width: 2 * width, Height: 2 * height},
		Preview: picture("preview", width, height), Thumbnail: picture("thumbnail", 240, 240),
	}
}

// Rejected is a photo that is never to be shown.
func Rejected(number int, reason string, source Source, limit int64) Photo {
	return Photo{ID: fmt.Sprintf("%s.%032x.0", Queue, number), Status: "rejected", Reason: reason, Source: &source, LimitBytes: limit}
}

// photo answers with a picture, if the agent has the conversation that it is in.
func (g *Gateway) photo(c echo.Context, me Agent) error {
	id := c.Param("id")
	g.mu.Lock()
	ok := g.maySee(id, me.ID)
	g.mu.Unlock()
	if !ok {
		return wrong(c, http.StatusNotFound, "not_found", nil)
	}
	var number uint64
	_, _ = fmt.Sscanf(strings.Split(id, ".")[1], "%x", &number)
	w, h := 240, 240
	if _, err := fmt.Sscanf(c.QueryParam("size"), "%dx%d", &w, &h); err != nil || w > 4096 || h > 4096 {
		return wrong(c, http.StatusBadRequest, "invalid", nil)
	}
	return c.Blob(http.StatusOK, "image/jpeg", drawn.scene(number, w, h))
}

// gallery keeps what was drawn: under the race detector a large picture takes a second
// of a quiet processor.
type gallery struct{ pictures sync.Map }

// house: variable because the pictures are the same for the whole process, and
// each test has a gateway of its own
var drawn gallery

// scene draws a picture once; who comes meanwhile waits for it.
func (d *gallery) scene(number uint64, w, h int) []byte {
	once := sync.OnceValue(func() []byte { return scene(number, w, h) })
	kept, _ := d.pictures.LoadOrStore([3]uint64{number, uint64(w), uint64(h)}, once)
	draw, ok := kept.(func() []byte)
	if !ok {
		panic("a gallery holds pictures only")
	}
	return draw()
}

func (g *Gateway) maySee(photo, me string) bool {
	for id, list := range g.messages {
		for _, m := range list {
			for _, p := range m.Photos {
				if a := g.conversations[id].Agent; p.ID == photo && p.Status == "ready" && a != nil && a.ID == me {
					return true
				}
			}
		}
	}
	return false
}

// scene is a picture in which up and down, left and right can be told apart: a
// sky with a sun, and hills.
func scene(number uint64, w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	hue := float64(number%7) / 7
	hills := []color.RGBA{}
	for _, shade := range []float64{1, .72, .44} {
		hills = append(hills, color.RGBA{uint8((70 + 90*hue) * shade), uint8(110 * shade), uint8((90 - 40*hue) * shade), 255})
	}
	for x := range w {
		for y, at := 0, crests(number, float64(x)/float64(w), h); y < h; y++ {
			fy := float64(y) / float64(h)
			c := color.RGBA{uint8(90 + 110*fy + 40*hue), uint8(140 + 70*fy), uint8(220 - 60*hue), 255}
			for i, crest := range at {
				if y > crest {
					c = hills[i]
				}
			}
			copy(img.Pix[img.PixOffset(x, y):], []byte{c.R, c.G, c.B, c.A})
		}
	}
	size := min(w, h) / 6
	sun := image.Rect(0, 0, size, size).Add(image.Pt(w*7/10, h/6))
	draw.Draw(img, sun, image.NewUniform(color.RGBA{255, 236, 170, 255}), image.Point{}, draw.Src)
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: 85}) // a buffer takes everything
	return b.Bytes()
}

// crests are how deep the hills begin in a column of a picture.
func crests(number uint64, fx float64, h int) (at [3]int) {
	for i, ridge := range []float64{.55, .7, .85} {
		at[i] = int(float64(h) * (ridge + .05*math.Sin(fx*(6+float64(i)*3)+float64(number)+float64(i))))
	}
	return at
}

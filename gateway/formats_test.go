package main

import (
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/sim"
)

const (
	// tinyWebP is a red picture of 8 x 4 pixels, lossless.
	tinyWebP = "RIFF\x1e\x00\x00\x00WEBPVP8L\x11\x00\x00\x00/\x07\xc0\x00\x00\x07P\x8a\x22\x97\xa2\xff\x81\x88\xe8\x7f\x00\x00"
	// heicHead is how a photo of an iPhone begins; no more of it is looked at.
	heicHead = "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
)

// TestFormatsOfAnAccount sends a WebP to an account that takes it and to one that
// does not, and a HEIC to one that takes none, because no account can. Each
// consumer whose photo is rejected is told what to send instead.
func TestFormatsOfAnAccount(t *testing.T) {
	h := prepare(t)
	for _, s := range h.loaded.Connectors {
		if c, ok := s.(*line.Config); ok {
			c.Accounts[0].Photos.Formats = []string{"jpeg", "webp"}
		}
	}
	h.start()
	for _, row := range []struct{ name, channel, photo, reason, notice string }{
		{"a WebP where it is taken", "line", tinyWebP, "", ""},
		{"a WebP where it is not", "viber", tinyWebP, "unsupported_type", "We cannot open this file. Please send your photo as JPEG, PNG, GIF."},
		{"a HEIC", "apple", heicHead, "unsupported_type", "This is a HEIC photo, which we cannot open. Please send it as a JPEG."},
	} {
		before := int(h.idle())
		h.hear(row.channel, sim.Said{ID: "formats", Consumer: "ana", At: time.Now(), Photos: [][]byte{[]byte(row.photo)}})
		sent := h.awaitSent(row.channel)
		photos := h.documents(int(h.idle()))[before].Data.Photos
		if len(photos) != 1 || photos[0].Reason != row.reason {
			t.Errorf("%s: got %+v, want the reason %q", row.name, photos, row.reason)
			continue
		}
		if row.reason == "" && (photos[0].Status != "ready" || photos[0].Preview.Width != 8 || photos[0].Preview.Height != 4) {
			t.Errorf("%s: got %+v, want it ready, 8 x 4", row.name, photos[0])
		}
		switch {
		case row.notice == "" && len(sent) != 0, row.notice != "" && (len(sent) != 1 || sent[0].Text != row.notice):
			t.Errorf("%s: the consumer got %+v, want %q", row.name, sent, row.notice)
		}
	}
}

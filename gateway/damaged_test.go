package main

import (
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/sim"
)

// TestDamagedPhotos sends a photo of which a quarter is missing through every
// channel of a gateway that shows such photos, and of one that does not. The
// consumer is asked for it again only where nobody can see it.
func TestDamagedPhotos(t *testing.T) {
	whole := picture(t, 640, 480)
	cut := whole[:len(whole)*3/4]
	for _, row := range []struct {
		damaged, status, reason, notice string
	}{
		{"reject", "rejected", "corrupt", "This photo arrived damaged. Please send it again."},
		{"show", "ready", "", ""},
	} {
		h := open(t, func(c *config.Config) { c.Photos.Damaged = row.damaged })
		for channel := range h.platforms {
			before := int(h.idle())
			h.hear(channel, sim.Said{ID: "cut", Consumer: "ana", At: time.Now(), Photos: [][]byte{cut}})
			sent := h.awaitSent(channel)
			photos := h.documents(int(h.idle()))[before].Data.Photos
			if len(photos) != 1 || photos[0].Status != row.status || photos[0].Reason != row.reason || photos[0].Damaged != (row.damaged == "show") {
				t.Errorf("%s, %s: got %+v, want it %s %s", row.damaged, channel, photos, row.status, row.reason)
			}
			if len(sent) > 1 || (len(sent) == 1) != (row.notice != "") || len(sent) == 1 && sent[0].Text != row.notice {
				t.Errorf("%s, %s: the consumer got %+v, want %q", row.damaged, channel, sent, row.notice)
			}
		}
	}
}

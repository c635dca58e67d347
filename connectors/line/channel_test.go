package line_test

import (
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
)

// LINE promises a reply token about a minute; we want to be done well before.
func TestChannelTexts(t *testing.T) {
	want := connectors.Texts{Limit: 5000, Resend: true, TokenLife: 50 * time.Second}
	if got := line.Channel().Texts; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !line.Channel().Withdraws {
		t.Error("consumers can unsend on LINE")
	}
}

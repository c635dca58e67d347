package cli

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
)

func TestProgressOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b gatewaytest.Log
		p := newProgress(stream{Writer: &b, moves: true}, 3)
		p.at(0, "a\x1b[2J.jpg")
		time.Sleep(499 * time.Millisecond)
		if b.String() != "" {
			t.Errorf("before half a second: %q", b.String())
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if got, want := b.String(), "\r\x1b[K1 of 3  a\\x1b[2J.jpg"; got != want {
			t.Errorf("after half a second: %q, want %q", got, want)
		}
		time.Sleep(time.Second) // nothing is new
		synctest.Wait()
		p.clear()
		p.clear()
		p.at(1, strings.Repeat("long", 50))
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		want := "\r\x1b[K1 of 3  a\\x1b[2J.jpg" + "\r\x1b[K" + "\r\x1b[K2 of 3  " + strings.Repeat("long", 50)[:63] + "…"
		if got := b.String(); got != want {
			t.Errorf("later: %q, want %q", got, want)
		}
		p.at(3, "")
		p.end()
		if got := b.String(); got != want+"\r\x1b[K" {
			t.Errorf("at the end: %q", got)
		}
	})
}

func TestProgressElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b gatewaytest.Log
		p := newProgress(stream{Writer: &b}, 1000)
		time.Sleep(50 * time.Millisecond)
		for i := range 250 {
			p.at(i, "a.jpg")
			time.Sleep(100 * time.Millisecond)
		}
		p.end()
		if got, want := b.String(), "100 of 1000  a.jpg\n200 of 1000  a.jpg\n"; got != want {
			t.Errorf("25 s gave %q, want %q", got, want)
		}
	})
}

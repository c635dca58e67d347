package queue_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
)

// impostor answers everything that is said to it with the same bytes; with none
// it hangs up.
func impostor(t *testing.T, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	serve := func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		said := make([]byte, 64<<10)
		for {
			if _, err := conn.Read(said); err != nil || answer == "" {
				return
			}
			if _, err := conn.Write([]byte(answer)); err != nil {
				return
			}
		}
	}
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			go serve(conn)
		}
	}()
	return listener.Addr().String()
}

func TestWhatIsNoRedisMakesNothingDurable(t *testing.T) {
	for name, answer := range map[string]string{
		"a web server":          "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
		"half a line":           "\x00\xff\x13",
		"too long a string":     "$99999999999\r\n",
		"OK to everything":      "+OK\r\n",
		"a number":              ":1\r\n",
		"another list":          "*1\r\n$3\r\nabc\r\n",
		"a list of fewer":       "*0\r\n",
		"somebody who hangs up": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, queue.OpenOptions{Redis: at(impostor(t, answer))})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if accepted, err := b.Accept(ctx, q, []queue.Item{item("a")}); err == nil {
				t.Errorf("accept: got %+v, want an error", accepted)
			}
			if entries, err := b.TakeOver(ctx, q, queue.Words, 1); err == nil && len(entries) > 0 {
				t.Errorf("take over: got %+v", entries)
			}
			if checkup, err := b.Doctor(ctx); err == nil && checkup.Durability == queue.Fsync && len(checkup.Findings) == 0 {
				t.Errorf("the doctor says %+v", checkup)
			}
			_ = b.Close(ctx)
		})
	}
}

func TestOpenRefusesAddressesThatAreNoneAndDoesNotRepeatThem(t *testing.T) {
	for _, c := range []config.Redis{
		{Address: ""},
		{Address: "canary"},
		{Address: "run/canary.sock"},
		{Address: "canary@localhost:6379"},
		{Address: "redis://user:canary@localhost:6379/0"},
		{Address: "rediss://:canary@localhost:6379"},
		{Address: "user:canary@localhost:6379"},
		{Address: "/canary.sock", TLS: true},
		{Address: "/canary/" + strings.Repeat("x", 100)},
	} {
		b, err := queue.Open(t.Context(), queue.OpenOptions{Redis: &c})
		if !errors.Is(err, queue.ErrInvalid) || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("address %q, TLS %v: got %v, want ErrInvalid without the address", c.Address, c.TLS, err)
		}
		if err == nil {
			_ = b.Close(t.Context())
		}
	}
}

func TestOptionsThatWouldStopAScriptHalfWay(t *testing.T) {
	t.Parallel()
	for _, options := range []queue.Options{
		{SeenFor: time.Microsecond}, {SeenFor: -time.Hour}, {ConversationFor: time.Microsecond}, {Lease: -1},
	} {
		if _, err := queue.New(connect(t, "127.0.0.1:1"), options); !errors.Is(err, queue.ErrInvalid) {
			t.Errorf("%+v: got %v, want ErrInvalid", options, err)
		}
	}
}

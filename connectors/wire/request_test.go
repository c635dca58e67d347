package wire

import (
	"io"
	"testing"

	"github.com/lightlock/lightlock/connectors"
)

func TestNewJSON(t *testing.T) {
	req, err := NewJSON("x: send", "https://api.example/v1", map[string]string{"text": "<b> & \u2028 写"})
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(req.Body)
	if got, want := string(body), `{"text":"<b> & \u2028 写"}`; got != want {
		t.Errorf("got body %s, want %s", got, want)
	}
	if got := req.Header.Get("Content-Type"); req.Method != "POST" || got != "application/json" {
		t.Errorf("got %s with %s, want a POST of application/json", req.Method, got)
	}
	if _, err := NewJSON("x: send", "https://api.example/v1", func() {}); connectors.KindOf(err) != connectors.Other || err == nil {
		t.Errorf("got %v for what is no JSON, want kind other", err)
	}
	if _, err := NewJSON("x: send", ":", 1); connectors.KindOf(err) != connectors.Refused {
		t.Errorf("got %v for what is no address, want kind refused", err)
	}
}

func TestBase(t *testing.T) {
	for _, row := range []struct{ base, want string }{
		{"", "https://api.example"},
		{"http://127.0.0.1:1/", "http://127.0.0.1:1"},
		{"https://proxy.example/line//", "https://proxy.example/line"},
	} {
		u, err := Base("x", row.base, "https://api.example")
		if err != nil || u.String() != row.want {
			t.Errorf("%q: got %v, %v, want %s", row.base, u, err, row.want)
		}
	}
	for _, base := range []string{"x", "https://", "%", "/only/path"} {
		if _, err := Base("x", base, "https://api.example"); connectors.KindOf(err) != connectors.Misconfigured || err == nil {
			t.Errorf("%q: got %v, want kind misconfigured", base, err)
		}
	}
}

package cli

import (
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/store"
)

func TestRewrap(t *testing.T) {
	key := func(letter string) string {
		return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
	}
	const both = "store:\n  keys:\n    - id: new\n      key: ${TEST_NEW}\n    - id: old\n      key: ${TEST_OLD}\n"
	configured(t, goodGateway+both, goodLine)
	t.Setenv("TEST_OLD", key("o"))
	t.Setenv("TEST_NEW", key("n"))
	open := func(id, letter string) *store.Sealed {
		s, err := store.New(config.Config{Data: "data", Store: config.Store{Keys: []config.StoreKey{{ID: id, Key: config.NewSecret(key(letter))}}}}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	photo := store.Key{Queue: "support", Attempt: strings.Repeat("0a", 16), Kind: store.Preview}
	if err := open("old", "o").Put(t.Context(), photo, []byte("picture")); err != nil {
		t.Fatal(err)
	}
	r := lightlock(t, "rewrap")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "1 key wrapped anew by \"new\"\n  new  1\nNo other key is needed now. Once every gateway has been started with \"new\" first, run this once more")
	if f, err := open("new", "n").Open(t.Context(), photo); err != nil {
		t.Errorf("by the new key alone: %v", err)
	} else {
		_ = f.Close()
	}
	r = lightlock(t, "rewrap", "--json")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, `{"first":"new","changed":0,"under":{"new":1},"needed":[],"unreadable":0}`)

	photo.Photo = 1
	if err := open("lost", "x").Put(t.Context(), photo, []byte("picture")); err != nil {
		t.Fatal(err)
	}
	r = lightlock(t, "rewrap")
	wantExit(t, r, exitFindings)
	hasAll(t, r.out, "1 key cannot be opened", `store.keys has none with the id "lost"`, "Still needed: lost.")
	discreet(t, r)
	for _, secret := range []string{key("o"), key("n")} {
		if strings.Contains(r.out+r.err, secret) {
			t.Error("a key is shown")
		}
	}
}

func TestRewrapWithoutAKey(t *testing.T) {
	configured(t, goodGateway, goodLine)
	photo := store.Key{Queue: "support", Attempt: strings.Repeat("0a", 16), Kind: store.Preview}
	pictures, err := store.New(config.Config{Data: "data"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(pictures.Put(t.Context(), photo, []byte("picture")), pictures.Close()); err != nil {
		t.Fatal(err)
	}
	r := lightlock(t, "rewrap")
	wantExit(t, r, exitFailed)
	hasAll(t, r.err, "no key under store.keys", "openssl rand -base64 32", "data/keys/store.key, need not be named")

	// What it says can be pasted, and then it does what it promised.
	_, lines, _ := strings.Cut(r.err, "run this again:\n")
	lines, _, _ = strings.Cut(lines, "\nThe gateway's own key")
	put(t, ".", "lightlock.yaml", []byte(goodGateway+strings.ReplaceAll("\n"+lines, "\n    ", "\n")+"\n"))
	t.Setenv("STORE_KEY", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("n", 32))))
	r = lightlock(t, "rewrap")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "1 key wrapped anew by \"operator-", "No other key is needed")
}

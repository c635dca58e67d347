package wire

import (
	"regexp"
	"testing"

	"github.com/lightlock/lightlock/config"
)

func TestCheckHosts(t *testing.T) {
	for host, good := range map[string]bool{
		"media.example.com": true, ".example.com": true, "127.0.0.1:4000": true, "localhost": true,
		"": false, ".com": false, "Media.example.com": false, "https://media.example.com": false, "*.example.com": false, "a.example.com/x": false, "a..example": false,
	} {
		found := CheckHosts([]string{"good.example", host})
		if (len(found) == 0) != good {
			t.Errorf("%q: got %+v, want good %t", host, found, good)
		}
		if !good && found[0].Path != "media_hosts[1]" {
			t.Errorf("%q: got path %s, want that of the second", host, found[0].Path)
		}
	}
}

func TestCheckAccountIDs(t *testing.T) {
	accounts := []config.Account{{ID: "1"}, {ID: "x"}, {ID: ""}}
	found := CheckAccountIDs(regexp.MustCompile(`^[0-9]+$`), accounts, "a number", "copy it")
	if len(found) != 2 || found[0].Path != "accounts[1].id" || found[1].Path != "accounts[2].id" {
		t.Fatalf("got %+v, want the second and the third", found)
	}
	if found[0].What != "not a number" || found[0].Fix != "copy it" || found[0].Why == "" {
		t.Errorf("got %+v, want an explanation", found[0])
	}
}

func TestFindings(t *testing.T) {
	var found Findings
	found.Unless(true, "a", "b", "c", "d")
	found.Unless(false, "e", "f", "g", "h")
	if want := (config.Finding{Path: "e", What: "f", Why: "g", Fix: "h"}); len(found) != 1 || found[0] != want {
		t.Errorf("got %+v, want %+v alone", found, want)
	}
}

package config

import (
	"regexp"
	"testing"
)

func TestCheckAccountIDs(t *testing.T) {
	accounts := []Account{{ID: "1"}, {ID: "x"}, {ID: ""}}
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
	if want := (Finding{Path: "e", What: "f", Why: "g", Fix: "h"}); len(found) != 1 || found[0] != want {
		t.Errorf("got %+v, want %+v alone", found, want)
	}
}

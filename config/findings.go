package config

import (
	"regexp"
	"strconv"
)

// Findings collects what is wrong with a connector's settings.
type Findings []Finding

// Unless notes a finding unless ok: what is wrong at path, why it matters and how
// to fix it, as in Finding.
func (f *Findings) Unless(ok bool, path, what, why, fix string) {
	if !ok {
		*f = append(*f, Finding{Path: path, What: what, Why: why, Fix: fix})
	}
}

// CheckAccountIDs returns which of the accounts have an id of another form than
// theirs: what it is meant to be, and how to mend it.
func CheckAccountIDs(form *regexp.Regexp, accounts []Account, what, fix string) []Finding {
	var found Findings
	for i, a := range accounts {
		found.Unless(form.MatchString(a.ID), AccountKey(i, "id"), "not "+what, "events name the account by it", fix)
	}
	return found
}

// AccountKey is the path of a key of one account.
func AccountKey(i int, key string) string { return "accounts[" + strconv.Itoa(i) + "]." + key }

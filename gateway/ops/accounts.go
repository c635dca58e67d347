package ops

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors"
)

// Accounts remembers what is wrong with which account, for a line each in
// /readyz: a refused token and a webhook that is not registered are the
// operator's to mend, and nobody else's.
type Accounts struct {
	names []string
	now   func() time.Time

	mu           sync.Mutex
	refused      map[string]time.Time
	unregistered map[string]time.Time
	unasked      map[string]time.Time
}

// NewAccounts makes the lines for the named accounts.
func NewAccounts(names []string, now func() time.Time) *Accounts {
	return &Accounts{
		names: names, now: now,
		refused: map[string]time.Time{}, unregistered: map[string]time.Time{}, unasked: map[string]time.Time{},
	}
}

// Refused notes that the platform refused the account's credentials.
func (a *Accounts) Refused(name string) { a.since(a.refused, name) }

// Served notes that the platform answered the account.
func (a *Accounts) Served(name string) { a.over(a.refused, name) }

// Note takes from the outcome of a call whether the platform takes the account's
// credentials. Most errors say nothing about that.
func (a *Accounts) Note(name string, err error) {
	switch {
	case err == nil:
		a.Served(name)
	case connectors.KindOf(err) == connectors.Misconfigured:
		a.Refused(name)
	}
}

// Unregistered notes that the platform sends the account's webhooks elsewhere,
// or nowhere.
func (a *Accounts) Unregistered(name string) {
	a.over(a.unasked, name)
	a.since(a.unregistered, name)
}

// Unasked notes that the platform will not say where it sends the account's
// webhooks until the operator has mended something.
func (a *Accounts) Unasked(name string) { a.since(a.unasked, name) }

// Registered notes that the platform sends the account's webhooks here.
func (a *Accounts) Registered(name string) {
	a.over(a.unasked, name)
	a.over(a.unregistered, name)
}

func (a *Accounts) since(trouble map[string]time.Time, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := trouble[name]; !known {
		trouble[name] = a.now()
	}
}

func (a *Accounts) over(trouble map[string]time.Time, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(trouble, name)
}

// Check is the Check with a line per account.
func (a *Accounts) Check(context.Context) []Line {
	a.mu.Lock()
	defer a.mu.Unlock()
	lines := make([]Line, len(a.names))
	for i, name := range a.names {
		lines[i] = Line{Name: name, State: OK}
		var notes []string
		if since, ok := a.refused[name]; ok {
			notes = append(notes, "credentials refused since "+clock(since)+"; photos wait for a valid token")
		}
		if since, ok := a.unregistered[name]; ok {
			notes = append(notes, "webhook not registered since "+clock(since))
		}
		if since, ok := a.unasked[name]; ok {
			notes = append(notes, "whether its webhook is registered is not known since "+clock(since))
		}
		if len(notes) > 0 {
			lines[i].State = Warn
			lines[i].Note = strings.Join(append(notes, "lightlock connect "+connectorOf(name)), "; ")
		}
	}
	return lines
}

func clock(t time.Time) string { return t.UTC().Format("15:04") + " UTC" }

// connectorOf returns the connector of an account's name: channel/name of
// channel/name/account.
func connectorOf(account string) string {
	parts := strings.SplitN(account, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

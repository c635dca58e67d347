package ops

import (
	"context"
	"sync"
	"time"
)

// Accounts remembers which accounts the platforms refuse, for a line each in
// /readyz: a refused token is the operator's to mend, and nobody else's.
type Accounts struct {
	names []string
	now   func() time.Time

	mu      sync.Mutex
	refused map[string]time.Time
}

// NewAccounts makes the lines for the named accounts.
func NewAccounts(names []string, now func() time.Time) *Accounts {
	return &Accounts{names: names, now: now, refused: map[string]time.Time{}}
}

// Refused notes that the platform refused the account's credentials.
func (a *Accounts) Refused(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.refused[name]; !known {
		a.refused[name] = a.now()
	}
}

// Served notes that the platform answered the account.
func (a *Accounts) Served(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.refused, name)
}

// Check is the Check with a line per account.
func (a *Accounts) Check(context.Context) []Line {
	a.mu.Lock()
	defer a.mu.Unlock()
	lines := make([]Line, len(a.names))
	for i, name := range a.names {
		lines[i] = Line{Name: name, State: OK}
		if since, ok := a.refused[name]; ok {
			lines[i].State = Warn
			lines[i].Note = "credentials refused since " + since.UTC().Format("15:04") + " UTC; photos wait for a valid token"
		}
	}
	return lines
}

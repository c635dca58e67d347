package connectortest

import (
	"context"
	"errors"
	"io"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

// twistedToy is a toy connector of which some methods may be replaced.
type twistedToy struct {
	*toy

	parse      func(*connectors.Request) ([]connectors.Event, error)
	fetch      func(context.Context, connectors.Photo) (io.ReadCloser, error)
	send       func(context.Context, connectors.Outgoing) (string, error)
	registered func(ctx context.Context, account, url string) (connectors.Registration, error)
	register   func(ctx context.Context, account, url string) error
	// note, if set, is told the name of every method that is called.
	note func(method string)
}

func (t *twistedToy) called(method string) {
	if t.note != nil {
		t.note(method)
	}
}

func (t *twistedToy) Parse(r *connectors.Request) ([]connectors.Event, error) {
	t.called("Parse")
	if t.parse != nil {
		return t.parse(r)
	}
	return t.toy.Parse(r)
}

func (t *twistedToy) Fetch(ctx context.Context, p connectors.Photo) (io.ReadCloser, error) {
	t.called("Fetch")
	if t.fetch != nil {
		return t.fetch(ctx, p)
	}
	return t.toy.Fetch(ctx, p)
}

func (t *twistedToy) Send(ctx context.Context, o connectors.Outgoing) (string, error) {
	t.called("Send")
	if t.send != nil {
		return t.send(ctx, o)
	}
	return t.toy.Send(ctx, o)
}

func (t *twistedToy) Registered(ctx context.Context, account, url string) (connectors.Registration, error) {
	t.called("Registered")
	if t.registered != nil {
		return t.registered(ctx, account, url)
	}
	return t.toy.Registered(ctx, account, url)
}

func (t *twistedToy) Register(ctx context.Context, account, url string) error {
	t.called("Register")
	if t.register != nil {
		return t.register(ctx, account, url)
	}
	return t.toy.Register(ctx, account, url)
}

// toyMutant is a toy connector that breaks the contract in one way, and the
// checks that must notice.
type toyMutant struct {
	name, breaks string
	manners      toyManners
	twist        func(*twistedToy)
}

// subject returns the mutant's subject, and which methods it replaces.
func (m toyMutant) subject() (s Subject, replaced []string) {
	s = toySubject(m.manners, m.twist)
	t := &twistedToy{toy: &toy{config: &toyConfig{Accounts: []toyAccount{{}}}, env: connectors.Env{}}}
	m.twist(t)
	for name, is := range map[string]bool{
		"Parse": t.parse != nil, "Fetch": t.fetch != nil, "Send": t.send != nil, "Registered": t.registered != nil, "Register": t.register != nil,
	} {
		if is {
			replaced = append(replaced, name)
		}
	}
	if replaced == nil {
		panic(m.name + " replaces nothing")
	}
	return s, replaced
}

func toySubject(m toyManners, twist func(*twistedToy)) Subject {
	s := m.subject()
	s.Channel.New = func(c config.Settings, env connectors.Env) (connectors.Connector, error) {
		inner, err := newToy(m, c, env)
		if err != nil {
			return nil, err
		}
		t := &twistedToy{toy: inner}
		twist(t)
		return t, nil
	}
	return s
}

func toyNoting(note func(method string)) Subject {
	return toySubject(toyManners{resend: true, tokens: true}, func(t *twistedToy) { t.note = note })
}

// toyEvents twists what Parse returns.
func toyEvents(change func(events []connectors.Event)) func(*twistedToy) {
	return func(t *twistedToy) {
		t.parse = func(r *connectors.Request) ([]connectors.Event, error) {
			events, err := t.toy.Parse(r)
			change(events)
			return events, err
		}
	}
}

// says twists what is sent.
func says(change func(t *twistedToy, o *connectors.Outgoing)) func(*twistedToy) {
	return func(t *twistedToy) {
		t.send = func(ctx context.Context, o connectors.Outgoing) (string, error) {
			change(t, &o)
			return t.toy.Send(ctx, o)
		}
	}
}

// answers twists what Send returns.
func answers(change func(t *twistedToy, o connectors.Outgoing, id string, err error) (string, error)) func(*twistedToy) {
	return func(t *twistedToy) {
		t.send = func(ctx context.Context, o connectors.Outgoing) (string, error) {
			id, err := t.toy.Send(ctx, o)
			return change(t, o, id, err)
		}
	}
}

// errs twists the errors of Send.
func errs(change func(t *twistedToy, e *connectors.Error) error) func(*twistedToy) {
	return answers(func(t *twistedToy, _ connectors.Outgoing, id string, err error) (string, error) {
		var e *connectors.Error
		if errors.As(err, &e) {
			changed := *e
			return "", change(t, &changed)
		}
		return id, err
	})
}

// known returns account, or the first one if it is not configured.
func (t *twistedToy) known(account string) string {
	if _, ok := config.FindAccount(t.config.Accounts, account); ok {
		return account
	}
	return t.config.Accounts[0].ID
}

// open returns the same connector for private addresses.
func (t *twistedToy) open() *toy {
	c := *t.config
	c.AllowPrivateAddresses = true
	open, err := newToy(t.toyManners, &c, t.env)
	if err != nil {
		panic(err)
	}
	return open
}

package wire

import (
	"net/url"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

// Account returns the one of a connector's accounts that has the platform's id,
// or an error of kind Misconfigured.
func Account[A interface{ Base() config.Account }](op string, own []A, id string) (A, error) {
	a, ok := config.FindAccount(own, id)
	if !ok {
		return a, connectors.Errorf(connectors.Misconfigured, op, "no such account")
	}
	return a, nil
}

// Sender returns the account that o is sent by. A text that is empty or longer
// than limit is Refused, and so is a message for nobody.
func Sender[A interface{ Base() config.Account }](op string, own []A, o connectors.Outgoing, limit int) (A, error) {
	a, err := Account(op, own, o.Account)
	switch n := connectors.Length(o.Text); {
	case err != nil:
	case n == 0 || n > limit:
		err = connectors.Errorf(connectors.Refused, op, "text of %d characters, allowed are 1 to %d", n, limit)
	case o.Consumer == "":
		err = connectors.Errorf(connectors.Refused, op, "no consumer")
	}
	return a, err
}

// Registration says what a platform's record about a webhook comes to: found is
// the address on record, want the one that should be, and missing what else
// keeps events from it, if anything.
func Registration(found, want, missing string) connectors.Registration {
	r := connectors.Registration{URL: Bare(found), Detail: missing}
	switch {
	case found == "":
		r.Detail = "no webhook is set"
	case !SameAddress(found, want):
		r.Detail = "webhooks go to another address"
	}
	r.OK = r.Detail == ""
	return r
}

// SameAddress tells whether events sent to the one address arrive at the other. A
// query makes no difference, because it does not change where they go.
func SameAddress(found, want string) bool {
	bare := Bare(found)
	return bare != "" && bare == Bare(want)
}

// Bare returns an address without its query, fragment and user info, which may
// hold a secret: as it may be shown. One that cannot be read is empty.
func Bare(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}

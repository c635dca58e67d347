package identity

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
)

const (
	// maxJWT is the longest token that is looked into, in bytes.
	maxJWT = 8 << 10
	// skew is how far our clock and the issuer's may differ.
	skew = time.Minute
	// keysTime is how long a caller waits for keys that are not known yet. They are
	// fetched to the end for whoever comes next.
	keysTime = 3 * time.Second
	// maxName is the longest name that is shown, in characters.
	maxName = 128
)

// errClaims means that a token is none for us.
var errClaims = errors.New("the token's claims do not hold")

// claims are what an issuer says about somebody.
type claims map[string]json.RawMessage

// looksSigned tells whether a token may be a signed JWT in its compact form. go-oidc
// would read another form besides, in which nobody sends bearers.
func looksSigned(token string) bool {
	return len(token) <= maxJWT && strings.HasPrefix(token, "ey") && strings.Count(token, ".") == 2
}

// caller returns the agent whose token it is.
func (i *issuer) caller(ctx context.Context, token string) (Caller, error) {
	p := i.current()
	if p == nil {
		return Caller{}, ErrAway
	}
	_, said, err := i.verify(ctx, p.bearer, token)
	if err != nil {
		return Caller{}, err
	}
	return i.agent(said)
}

// verify checks a token's signature, issuer, audience and times. Where it is not
// the token that is at fault, the error is ErrAway.
func (i *issuer) verify(ctx context.Context, v *oidc.IDTokenVerifier, token string) (*oidc.IDToken, claims, error) {
	if !looksSigned(token) {
		return nil, nil, ErrUnauthenticated
	}
	ctx, cancel := context.WithTimeout(ctx, keysTime)
	defer cancel()
	keys := &keysFailed{}
	checked, err := v.Verify(context.WithValue(ctx, keysFailed{}, keys), token)
	if err != nil && keys.failed {
		return nil, nil, ErrAway
	}
	var said claims
	if err != nil || checked.Claims(&said) != nil || said.inTime(i.now()) != nil {
		return nil, nil, ErrUnauthenticated // without what was wrong: it may quote the token
	}
	return checked, said, nil
}

// inTime tells whether a token is valid now. One without an end is not, nor one that
// tells of events, such as that somebody has signed out: those are signed like others.
func (c claims) inTime(now time.Time) error {
	end, ok := c.time("exp")
	if !ok || !now.Before(end.Add(skew)) || c["events"] != nil {
		return errClaims
	}
	for _, name := range []string{"nbf", "iat"} {
		begin, ok := c.time(name)
		if _, there := c[name]; there && (!ok || now.Add(skew).Before(begin)) {
			return errClaims
		}
	}
	return nil
}

// time reads a claim of seconds since 1970.
func (c claims) time(name string) (time.Time, bool) {
	var seconds float64
	if json.Unmarshal(c[name], &seconds) != nil || seconds < 0 || seconds > 1<<40 {
		return time.Time{}, false
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)), true
}

// text reads a claim of text.
func (c claims) text(name string) string {
	var text string
	if json.Unmarshal(c[name], &text) != nil {
		return ""
	}
	return text
}

// list reads a claim that is a list of texts, or one text.
func (c claims) list(name string) []string {
	var list []string
	if json.Unmarshal(c[name], &list) == nil {
		return list
	}
	if one := c.text(name); one != "" {
		return []string{one}
	}
	return nil
}

// agent makes a caller of what the issuer says about somebody.
func (i *issuer) agent(said claims) (Caller, error) {
	subject := said.text("sub")
	if subject == "" {
		return Caller{}, ErrUnauthenticated
	}
	id := i.agentID(subject)
	name := cmp.Or(clean(said.text(cmp.Or(i.config.NameClaim, "name")), maxName), clean(said.text("preferred_username"), maxName), id)
	end, _ := said.time("exp")
	return Caller{
		Kind: queue.ActorAgent, Agent: queue.Agent{ID: id, Name: name}, Queues: i.queuesOf(said.list(i.config.QueuesClaim)), Until: end.Add(skew),
	}, nil
}

// issuersPrefix begins the IDs of agents whom the issuer knows. No local agent's ID
// has a colon in it.
const issuersPrefix = "oidc:"

// OfIssuer tells by an agent's ID that the issuer knows them, and not the agents file.
func OfIssuer(id string) bool { return strings.HasPrefix(id, issuersPrefix) }

// agentID names somebody for ever, apart from all local agents and from whom another
// issuer calls the same: it is "oidc:" and the first 32 hex digits of the SHA-256 of
// issuer, line feed and subject.
func (i *issuer) agentID(subject string) string {
	return issuersPrefix + config.TokenHash(i.config.Issuer + "\n" + subject)[:32]
}

// proof is what a session rests on that was begun by the issuer's word.
func (i *issuer) proof() string {
	return issuersPrefix + config.TokenHash(i.config.Issuer + "\n" + i.config.ClientID)[:32]
}

// queuesOf are an agent's queues: those that the operator gives to everybody, or those
// that the issuer names, as far as there are such.
func (i *issuer) queuesOf(named []string) []string {
	if i.config.QueuesClaim == "" {
		named = i.config.Queues
	}
	var list []string
	for _, q := range i.queues {
		if slices.Contains(named, q) {
			list = append(list, q)
		}
	}
	return list
}

// clean is a text of somebody else's for people to read: one line, and not too long.
func clean(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most])
	}
	return text
}

// keysFailed is noted in a call's context by the key set: go-oidc turns errors into
// text on their way.
type keysFailed struct{ failed bool }

// keySet notes when it was not the token's fault that it could not be verified.
type keySet struct {
	oidc.KeySet
	wire *wire
}

// VerifySignature implements oidc.KeySet. go-oidc wraps what has kept it from the keys,
// and nothing else. Keys that were had a moment ago, and do not fit, are an answer.
func (k keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, token)
	if note, ok := ctx.Value(keysFailed{}).(*keysFailed); ok && errors.Unwrap(err) != nil {
		failed, _ := k.wire.trouble()
		note.failed = failed != "" || !errors.Is(err, errOften)
	}
	return payload, err
}

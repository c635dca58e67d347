package identity

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
)

// directory is everybody the operator has named, as of one moment.
type directory struct {
	bearers []bearer
	agents  map[string]bearer // the local agents, by ID
}

// bearer is somebody with a token.
type bearer struct {
	digest [sha256.Size]byte
	caller Caller
}

// proof is what a session rests on that was begun with the bearer's token: another
// token ends it.
func (b bearer) proof() string { return hex.EncodeToString(b.digest[:]) }

func newDirectory(services []config.Service, agents []config.LocalAgent) *directory {
	d := &directory{agents: map[string]bearer{}}
	for _, s := range services {
		if s.Token.IsZero() {
			continue
		}
		d.bearers = append(d.bearers, bearer{sha256.Sum256([]byte(s.Token.Reveal())),
			Caller{Kind: queue.ActorService, Agent: queue.Agent{ID: s.Name}, Queues: s.Queues}})
	}
	for _, a := range agents {
		one := bearer{caller: Caller{Kind: queue.ActorAgent, Agent: queue.Agent{ID: a.ID, Name: cmp.Or(a.Name, a.ID)}, Queues: a.Queues}}
		if n, err := hex.Decode(one.digest[:], []byte(a.TokenSHA256)); err != nil || n != sha256.Size {
			continue // never: the file was checked
		}
		d.bearers = append(d.bearers, one)
		d.agents[a.ID] = one
	}
	return d
}

// byToken finds whose token it is. All are compared, by their digests, so that time
// tells nothing about any of them.
func (d *directory) byToken(token string) (found bearer, ok bool) {
	got := sha256.Sum256([]byte(token))
	for _, one := range d.bearers {
		if subtle.ConstantTimeCompare(got[:], one.digest[:]) == 1 {
			found, ok = one, true
		}
	}
	return found, ok
}

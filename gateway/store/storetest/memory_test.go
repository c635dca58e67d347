package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"regexp"
	"sync"
	"time"

	"github.com/lightlock/lightlock/gateway/store"
)

// memory is a store that keeps the contract, and of which a mutant breaks one
// sentence.
type memory struct {
	m mutant

	mu       sync.Mutex
	pictures map[store.Key]entry
	failed   bool
}

type entry struct {
	data         []byte
	at           time.Time
	conversation string
}

// mutant says how a store is broken. The zero mutant is not.
type mutant struct {
	// Each replaces a method; inner is the store as it should be.
	put    func(inner *memory, ctx context.Context, k store.Key, data []byte) error
	get    func(inner *memory, ctx context.Context, k store.Key) (io.ReadSeekCloser, error)
	delete func(inner *memory, ctx context.Context, queue, attempt string) error
	list   func(inner *memory, ctx context.Context, visit visit) error
	check  func(inner *memory, ctx context.Context) error
	again  func(inner *memory) *memory
	whose  func(inner *memory, ctx context.Context, k store.Key) (string, error)
}

type visit = func(queue, attempt string, age time.Duration) error

func newMemory(m mutant) *memory { return &memory{m: m, pictures: map[store.Key]entry{}} }

var (
	queueName   = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	attemptName = regexp.MustCompile(`^[0-9a-f]{32}$`)
	errKey      = errors.New("not a key")
)

func checkKey(ctx context.Context, k store.Key) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if k.Kind != store.Preview && k.Kind != store.Thumbnail || k.Photo < 0 || k.Photo > 99 ||
		k.Conversation != "" && !attemptName.MatchString(k.Conversation) || !queueName.MatchString(k.Queue) || !attemptName.MatchString(k.Attempt) {
		return errKey
	}
	return nil
}

func (m *memory) Put(ctx context.Context, k store.Key, data []byte) error {
	if m.m.put != nil {
		return m.m.put(m, ctx, k, data)
	}
	return m.putRight(ctx, k, data)
}

func (m *memory) putRight(ctx context.Context, k store.Key, data []byte) error {
	if err := checkKey(ctx, k); err != nil {
		return err
	}
	if len(data) == 0 || len(data) > store.MaxBytes {
		return errors.New("size")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	conversation := k.Conversation
	k.Conversation = ""
	for _, kind := range []store.Kind{store.Preview, store.Thumbnail} {
		other := k
		other.Kind = kind
		if there, ok := m.pictures[other]; ok && there.conversation != conversation {
			return store.ErrExists
		}
	}
	if there, ok := m.pictures[k]; ok {
		if !bytes.Equal(there.data, data) {
			return store.ErrExists
		}
		return nil
	}
	m.pictures[k] = entry{bytes.Clone(data), time.Now(), conversation}
	return nil
}

func (m *memory) conversation(k store.Key) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	k.Conversation = ""
	return m.pictures[k].conversation
}

// set stores what must not be stored.
func (m *memory) set(k store.Key, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pictures[k] = entry{bytes.Clone(data), time.Now(), ""}
}

func (m *memory) has(k store.Key) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.pictures[k]
	return ok
}

type open struct{ *bytes.Reader }

func (open) Close() error { return nil }

func (m *memory) Open(ctx context.Context, k store.Key) (store.Picture, error) {
	conversation := m.conversation(k)
	k.Conversation = ""
	if m.m.get != nil {
		f, err := m.m.get(m, ctx, k)
		return store.Picture{ReadSeekCloser: f, Conversation: conversation}, err
	}
	f, err := m.getRight(ctx, k)
	return store.Picture{ReadSeekCloser: f, Conversation: conversation}, err
}

func (m *memory) Conversation(ctx context.Context, k store.Key) (string, error) {
	if m.m.whose != nil {
		return m.m.whose(m, ctx, k)
	}
	return m.whoseRight(ctx, k)
}

func (m *memory) whoseRight(ctx context.Context, k store.Key) (string, error) {
	k.Kind, k.Conversation = store.Preview, ""
	thumbnail := k
	thumbnail.Kind = store.Thumbnail
	if err := checkKey(ctx, k); err != nil {
		return "", err
	}
	if !m.has(k) && !m.has(thumbnail) {
		return "", store.ErrNotFound
	}
	return cmp.Or(m.conversation(k), m.conversation(thumbnail)), nil
}

func (m *memory) getRight(ctx context.Context, k store.Key) (io.ReadSeekCloser, error) {
	if err := checkKey(ctx, k); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	there, ok := m.pictures[k]
	if !ok {
		return nil, store.ErrNotFound
	}
	return open{bytes.NewReader(there.data)}, nil
}

func (m *memory) DeleteAttempt(ctx context.Context, queue, attempt string) error {
	if m.m.delete != nil {
		return m.m.delete(m, ctx, queue, attempt)
	}
	return m.deleteRight(ctx, queue, attempt)
}

func (m *memory) deleteRight(ctx context.Context, queue, attempt string) error {
	if err := checkKey(ctx, store.Key{Queue: queue, Attempt: attempt, Kind: store.Preview}); err != nil {
		return err
	}
	m.deleteWhere(func(k store.Key) bool { return k.Queue == queue && k.Attempt == attempt })
	return nil
}

// deleteWhere returns how many pictures went.
func (m *memory) deleteWhere(gone func(store.Key) bool) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.pictures {
		if gone(k) {
			delete(m.pictures, k)
			n++
		}
	}
	return n
}

func (m *memory) List(ctx context.Context, visit func(queue, attempt string, age time.Duration) error) error {
	if m.m.list != nil {
		return m.m.list(m, ctx, visit)
	}
	return m.listRight(ctx, visit)
}

func (m *memory) listRight(ctx context.Context, visit visit) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for a, at := range m.newest() {
		if err := visit(a.Queue, a.Attempt, time.Since(at)); err != nil {
			return err
		}
	}
	return nil
}

// newest returns when something was last put into each attempt.
func (m *memory) newest() map[store.Key]time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	newest := map[store.Key]time.Time{}
	for k, there := range m.pictures {
		a := store.Key{Queue: k.Queue, Attempt: k.Attempt}
		if there.at.After(newest[a]) {
			newest[a] = there.at
		}
	}
	return newest
}

func (m *memory) Check(ctx context.Context) error {
	if m.m.check != nil {
		return m.m.check(m, ctx)
	}
	return ctx.Err()
}

func (m *memory) Close() error { return nil }

func (m *memory) age(queue, attempt string, by time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, there := range m.pictures {
		if k.Queue == queue && k.Attempt == attempt {
			m.pictures[k] = entry{there.data, time.Now().Add(-by), there.conversation}
		}
	}
	return nil
}

// subject is a store that is broken as m says.
func subject(m mutant) Subject {
	return Subject{Open: func() (Place, error) {
		s := newMemory(m)
		return Place{Store: s, Age: s.age, Again: func() (store.Store, error) {
			if m.again != nil {
				return m.again(s), nil
			}
			return s, nil
		}}, nil
	}}
}

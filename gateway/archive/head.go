package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// Head returns a conversation without its messages, from Redis and the archive
// together, or ErrNotFound. Of what has left Redis it unpacks the head alone.
func (a *Archive) Head(ctx context.Context, in, id string) (queue.Conversation, error) {
	none := fmt.Errorf("%w: %w", ErrNotFound, queue.ErrNoConversation)
	if !named(in, id) {
		return queue.Conversation{}, none
	}
	// Redis is read first, as Get does.
	here, err := a.Heads.Conversations(ctx, in, []string{id})
	switch {
	case err != nil:
		return queue.Conversation{}, err
	case len(here) > 0 && here[0].Partial:
		whole, err := a.Get(ctx, in, id) // for what its messages say of it
		return whole.Conversation, err
	case len(here) > 0:
		return here[0], nil
	}
	c, err := a.headOf(ctx, in, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return queue.Conversation{}, none
	case err != nil:
		return queue.Conversation{}, fmt.Errorf("archive: %w", err)
	}
	return c, nil
}

// headOf reads the head of the newest generation. It asks the store for as much
// whether there is one or not, and whoever has read it before: who must not know of a
// conversation does not hear of it from the time that this takes.
func (a *Archive) headOf(ctx context.Context, in, id string) (c queue.Conversation, err error) {
	asked := false
	err = a.latest(ctx, in, id, func(number int) (err error) {
		asked = true
		leave, err := a.turns.take(ctx)
		if err != nil {
			return err
		}
		defer leave()
		packed, err := a.Documents.Get(ctx, documentOf(in, id, number))
		if err == nil {
			c, err = readHead(packed)
		}
		return err
	})
	if !asked && errors.Is(err, store.ErrNotFound) {
		packed, err := a.Documents.Get(ctx, documentOf(in, id, 1))
		if err != nil {
			return c, err
		}
		return readHead(packed) // somebody has put it just now
	}
	return c, err
}

// readHead reads no more of a generation than its head, which stands first.
func readHead(packed []byte) (c queue.Conversation, err error) {
	var text io.Reader = bytes.NewReader(packed)
	if !bytes.HasPrefix(packed, []byte("{")) {
		z, err := gzip.NewReader(text)
		if err != nil {
			return c, store.ErrDamaged
		}
		text = io.LimitReader(z, unpacked)
	}
	d := json.NewDecoder(bufio.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return c, store.ErrDamaged
	}
	formed := 0
	for d.More() {
		name, err := d.Token()
		if err == nil && name == "form" {
			err = d.Decode(&formed)
		} else if err == nil && name == "conversation" {
			if err = d.Decode(&c); err == nil {
				return c, checkForm(formed)
			}
		} else {
			break
		}
		if err != nil {
			break
		}
	}
	return queue.Conversation{}, store.ErrDamaged
}

// mostUnpacked is how many generations are unpacked at once. One is some megabytes at
// most, but for the longest.
const mostUnpacked = 8

// turns bounds what is unpacked at once.
type turns struct {
	once sync.Once
	room chan struct{}
}

// take waits for a turn, which ends with leave.
func (t *turns) take(ctx context.Context) (leave func(), err error) {
	t.once.Do(func() { t.room = make(chan struct{}, mostUnpacked) })
	select {
	case t.room <- struct{}{}:
		return func() { <-t.room }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("archive: others are being unpacked: %w", context.Cause(ctx))
	}
}

package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// awayReplies are the first words with which a Redis that answers says that it
// cannot keep anything now: it loads, a script hangs, its disk is full, it has
// lost its cluster, its replicas or its place as primary, or a queue is on its
// way to another primary.
func awayReplies() []string {
	return []string{
		"LOADING", "BUSY", "MISCONF", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "READONLY", "TRYAGAIN",
		"UNBLOCKED", "MOVED", "ASK",
	}
}

// awayTexts are errors of go-redis itself that have no type of their own.
func awayTexts() []string {
	return []string{"redis: cluster has no nodes", "redis: all sentinels specified in configuration are unreachable"}
}

// wrap says what was being done and marks the kinds of error that callers act
// on. The text of a Redis error may name a key; keys are hashes.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	if kind := kindOf(err); kind != nil {
		return fmt.Errorf("queue: %s: %w: %w", op, kind, err)
	}
	return fmt.Errorf("queue: %s: %w", op, err)
}

func kindOf(err error) error {
	var reply redis.Error
	if errors.As(err, &reply) && !errors.Is(err, redis.Nil) {
		return kindOfReply(reply.Error())
	}
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return nil
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, redis.ErrClosed),
		errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, net.ErrClosed):
		return ErrAway
	}
	if slices.ContainsFunc(awayTexts(), func(text string) bool { return strings.Contains(err.Error(), text) }) {
		return ErrAway
	}
	return nil
}

func kindOfReply(text string) error {
	first, _, _ := strings.Cut(text, " ")
	switch {
	// Before Redis 7 the word stands within the report of a failed script.
	case first == "OOM", strings.Contains(text, "OOM command not allowed"):
		return ErrFull
	// The last is the answer to a long command, whatever it is.
	case first == "NOAUTH", first == "WRONGPASS", strings.HasPrefix(text, "ERR Protocol error: unauthenticated"):
		return ErrLogin
	case slices.Contains(awayReplies(), first), strings.HasPrefix(text, "ERR max number of clients reached"):
		return ErrAway
	}
	return nil
}

// MayPass tells whether it is Redis' state that stands in the way, and not what
// was asked of it: the same may go through later.
func MayPass(err error) bool { return errors.Is(err, ErrAway) || errors.Is(err, ErrFull) }

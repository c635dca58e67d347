package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

// awayReplies are how a Redis that answers says that it cannot serve now.
func awayReplies() []string {
	return []string{"LOADING", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "TRYAGAIN"}
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
	return nil
}

func kindOfReply(text string) error {
	if strings.HasPrefix(text, "OOM") {
		return ErrFull
	}
	for _, prefix := range awayReplies() {
		if strings.HasPrefix(text, prefix) {
			return ErrAway
		}
	}
	return nil
}

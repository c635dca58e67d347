package queue

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/*.lua
var scriptFiles embed.FS

// script is one of the files in scripts/, with common.lua before it, and chats.lua
// where it is about conversations.
type script struct {
	name string
	// flagged begins with the file's #!lua line, by which Redis 7 knows whether
	// the script may run when the memory is full.
	flagged *redis.Script
	// plain is the same without that line, which older servers and miniredis
	// take for a syntax error.
	plain *redis.Script
}

// scripts are all steps of an event's life.
type scripts struct {
	accept, begin, keepalive, complete, retry, release *script
	due, bury, childdied, ensure, leave, stats, expire *script
	drop, unbury, revive                               *script
	post, claim, conclude, lost, overdue, tell         *script
	orphans, lanes                                     *script
	assign, close, seen, reply, archived, receipt      *script
	outdate                                            *script
	opensession, closesessions, noteagent              *script
	forget, forgetevent, forgetletter, forgetchat      *script
	// unflagged is set once the server has proven not to know the #!lua line.
	unflagged atomic.Bool
}

func loadScripts() (*scripts, error) {
	s := new(scripts)
	for name, place := range map[string]**script{
		"accept": &s.accept, "begin": &s.begin, "keepalive": &s.keepalive, "complete": &s.complete,
		"retry": &s.retry, "release": &s.release, "due": &s.due, "bury": &s.bury,
		"childdied": &s.childdied, "ensure": &s.ensure, "leave": &s.leave, "stats": &s.stats, "expire": &s.expire,
		"drop": &s.drop, "unbury": &s.unbury, "revive": &s.revive,
		"post": &s.post, "claim": &s.claim, "conclude": &s.conclude, "lost": &s.lost,
		"overdue": &s.overdue, "tell": &s.tell, "orphans": &s.orphans, "lanes": &s.lanes,
		"assign": &s.assign, "close": &s.close, "seen": &s.seen, "reply": &s.reply, "archived": &s.archived,
		"receipt": &s.receipt, "outdate": &s.outdate,
		"opensession": &s.opensession, "closesessions": &s.closesessions, "noteagent": &s.noteagent,
		"forget": &s.forget, "forgetevent": &s.forgetevent, "forgetletter": &s.forgetletter, "forgetchat": &s.forgetchat,
	} {
		loaded, err := loadScript(name)
		if err != nil {
			return nil, err
		}
		*place = loaded
	}
	return s, nil
}

// withChats names the scripts that need chats.lua: to make its functions anew for
// each call costs Redis as much as a few commands.
func withChats() []string {
	return []string{"complete", "tell", "retry", "assign", "close", "seen", "reply", "conclude", "archived", "receipt", "forgetchat", "outdate"}
}

func loadScript(name string) (*script, error) {
	common, err := scriptFiles.ReadFile("scripts/common.lua")
	if err == nil && slices.Contains(withChats(), name) {
		var chats []byte
		chats, err = scriptFiles.ReadFile("scripts/chats.lua")
		common = append(common, chats...)
	}
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	text, err := scriptFiles.ReadFile("scripts/" + name + ".lua")
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	flags, body, found := strings.Cut(string(text), "\n")
	if !found || !strings.HasPrefix(flags, "#!lua") {
		return nil, fmt.Errorf("queue: script %s does not begin with #!lua", name)
	}
	plain := string(common) + body
	return &script{name: name, flagged: redis.NewScript(flags + "\n" + plain), plain: redis.NewScript(plain)}, nil
}

// run runs a script. A server that cannot compile the #!lua line has done
// nothing, so the plain form is tried on the spot and from then on.
func (s *scripts) run(ctx context.Context, c redis.Scripter, which *script, keys []string, args ...any) *redis.Cmd {
	if s.unflagged.Load() {
		return which.plain.Run(ctx, c, keys, args...)
	}
	cmd := which.flagged.Run(ctx, c, keys, args...)
	if err := cmd.Err(); err == nil || !strings.Contains(err.Error(), "Error compiling script") {
		return cmd
	}
	cmd = which.plain.Run(ctx, c, keys, args...)
	if cmd.Err() == nil {
		s.unflagged.Store(true)
	}
	return cmd
}

package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/store"
)

// doctor asks the configured Redis. One that is away may be there when the
// gateway starts; one that answers wrongly has to be mended before.
func (e *examination) doctor(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	c := e.loaded.Config.Redis
	address := strings.Join(c.Places(), ", ")
	e.redis = visible(address)
	queue.RedirectLog(slog.New(slog.DiscardHandler))
	backend, err := queue.Open(ctx, queue.OpenOptions{Redis: c, Data: e.loaded.Config.Data})
	if err != nil {
		e.findings = append(e.findings, e.problem("redis", err.Error(), "nothing is durable without it", "correct redis"))
		return
	}
	defer func() { _ = backend.Close(context.WithoutCancel(ctx)) }()
	checkup, err := backend.Doctor(ctx)
	if err != nil {
		e.undiagnosed(address, err, ctx.Err() != nil)
		return
	}
	e.redis += fmt.Sprintf(", durability %s", checkup.Durability)
	if checkup.Version != "" {
		e.redis += ", version " + visible(checkup.Version)
	}
	for _, f := range checkup.Findings {
		what, fix, _ := strings.Cut(f, "; ")
		e.findings = append(e.findings, e.problem("redis", "redis: "+what, "the gateway would refuse to serve", visible(fix)))
	}
}

// undiagnosed says why Redis has not answered the doctor.
func (e *examination) undiagnosed(address string, err error, late bool) {
	const why = "the gateway would not start"
	c := e.loaded.Config.Redis
	switch {
	case errors.Is(err, queue.ErrAway), late:
		e.warnings = append(e.warnings, e.problem("redis", fmt.Sprintf("redis at %s does not answer: %s", address, silence(err, c.TLS)),
			"its settings could not be looked at", "start it, or correct redis.address, and check again"))
	case errors.Is(err, queue.ErrLogin):
		e.findings = append(e.findings, e.problem("redis", "redis at "+address+" refuses the user or password", why, loginFix(c)))
	default:
		what, fix, _ := strings.Cut(err.Error(), "; ")
		e.findings = append(e.findings, e.problem("redis", "redis at "+address+": "+what, why, cmp.Or(visible(fix), "correct redis")))
	}
}

// loginFix names the keys that a refused login is about.
func loginFix(c *config.Redis) string {
	fix := "correct redis.password"
	if c.Password.IsZero() {
		fix = "set redis.password"
	}
	if c.Username != "" {
		fix += " or redis.username"
	}
	if c.Master != "" {
		fix += ", or redis.sentinel_password if the Sentinels have one"
	}
	return fix
}

// silence says in a clause why a server does not answer.
func silence(err error, byTLS bool) string {
	var name *net.DNSError
	var system syscall.Errno
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &name):
		return name.Err
	case errors.As(err, &system):
		return system.Error()
	case errors.As(err, &record):
		return "it does not speak TLS"
	case errors.Is(err, io.EOF) && !byTLS:
		return "it closes the connection; if it wants TLS, set redis.tls"
	case errors.Is(err, io.EOF):
		return "it closes the connection"
	case errors.Is(err, context.DeadlineExceeded) && byTLS:
		return "nothing came in time; it may not speak TLS"
	case errors.Is(err, context.DeadlineExceeded):
		return "nothing came in time"
	}
	_, said, found := strings.Cut(err.Error(), queue.ErrAway.Error()+": ")
	if !found {
		said = err.Error()
	}
	return said
}

// bucket puts a small picture into a configured bucket, and deletes it again. One
// that is away may be there when photos come.
func (e *examination) bucket(ctx context.Context) {
	c := e.loaded.Config.Store.S3
	e.store = visible("bucket " + c.Bucket + " at " + c.Endpoint)
	ctx, cancel := context.WithTimeoutCause(ctx, doctorTime, fmt.Errorf("no answer in %v", doctorTime))
	defer cancel()
	s, err := store.OpenS3(*c)
	if err == nil {
		defer func() { _ = s.Close() }()
		err = s.Check(ctx)
	}
	if err == nil {
		e.store += ", a picture was put there and deleted again"
		return
	}
	const why = "photos wait until they can be stored"
	what := e.store + ": " + strings.TrimPrefix(err.Error(), "store: ")
	switch {
	case s == nil, errors.Is(err, store.ErrRefused):
		e.findings = append(e.findings, e.problem("store", what, why, "correct store.s3"))
	case errors.Is(err, store.ErrUnfit):
		e.warnings = append(e.warnings, e.problem("store", what, "the gateway promises that no photo replaces another, and that deleted ones are gone", "set up the bucket, or the server, otherwise"))
	default:
		e.warnings = append(e.warnings, e.problem("store", what, why, "start it, or correct store.s3.endpoint, and check again"))
	}
}

// folders finds those that the gateway could not make or write: of the ones in data
// the first, because the others share its trouble.
func (e *examination) folders() {
	c := &e.loaded.Config
	if c.Spool.Enabled && c.Spool.Folder != "" {
		e.folder("spool", "spool.folder", c.Spool.Folder)
	}
	needed := map[string]bool{"redis": c.Redis == nil, "photos": c.Store.S3 == nil, "keys": c.Store.S3 == nil && len(c.Store.Keys) == 0, "spool": c.Spool.Enabled && c.Spool.Folder == ""}
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		if needed[name] && !e.folder("data", "data", filepath.Join(c.Data, name)) {
			return
		}
	}
}

// folder tells whether a folder can be used.
func (e *examination) folder(place, key, path string) bool {
	what := unusable(path)
	if what != "" {
		e.findings = append(e.findings, e.problem(place, key+": "+what, "the gateway would not start",
			"choose another folder, or mend this one; if the gateway is to run as another user, check as that user"))
	}
	return what == ""
}

// unusable says why this user could not write files into a folder, or make it.
func unusable(path string) string {
	for {
		info, err := os.Stat(path)
		above := filepath.Dir(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && above != path:
			path = above
			continue
		case err != nil:
			return err.Error()
		case !info.IsDir():
			return path + " is no folder"
		case syscall.Access(path, 2|1) != nil: // to write, and to pass
			return "this user may not write in " + path
		}
		return ""
	}
}

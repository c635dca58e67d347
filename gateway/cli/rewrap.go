package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/store"
)

type rewrapCmd struct {
	changeFlags
}

// Help implements kong.HelpProvider.
func (rewrapCmd) Help() string {
	return `Each photo and each closed conversation has a key of its own, which an operator's key has wrapped. This wraps them all by the first key under store.keys. No picture is read or written, gateways may serve meanwhile, and it may be interrupted at any moment and run again.
To change the operator's key: put a new one before it under store.keys, start every gateway anew, run this, and take out the old one when it says that nothing needs it. A gateway that was not started anew stores by the old one meanwhile: run this again after the last has been.
Run it as the gateway's user: root is refused where the folder is another's.
Exit 0 if the first key opens everything, 1 if another is needed still or something opens with none of them, 2 if the store could not be looked through.

Examples:
  lightlock rewrap
  lightlock rewrap --config /etc/lightlock/lightlock.yaml
  lightlock rewrap --json`
}

// rewrapped is what --json prints.
type rewrapped struct {
	First      string         `json:"first"`
	Changed    int            `json:"changed"`
	Under      map[string]int `json:"under"`
	Needed     []string       `json:"needed"`
	Unreadable int            `json:"unreadable"`
	Detail     string         `json:"detail,omitempty"`
}

// firstKey says how an operator comes to a key of their own. The gateway's opens what it
// has sealed for as long as its file is there.
func firstKey(c config.Config, now time.Time) string {
	opens := ""
	if c.Store.S3 == nil {
		opens = fmt.Sprintf("\nThe gateway's own key, in %s, need not be named: it goes on to open what it has sealed, until this has wrapped everything by the new one.", store.KeyFile(c))
	}
	return fmt.Sprintf(`no key under store.keys to wrap by. Make one, keep a copy of it in another place, and put it into the environment of every gateway and of this:
    export STORE_KEY=$(openssl rand -base64 32)
Name it in the gateway's file, start every gateway anew, and run this again:
    store:
      keys:
        - id: operator-%s
          key: ${STORE_KEY}%s`, now.UTC().Format("2006-01"), opens)
}

// Run wraps every key anew, and says which of the operator's are needed still.
func (c rewrapCmd) Run(ctx context.Context, s *session) error {
	d, err := c.read(s)
	if err != nil {
		return err
	}
	if len(d.config.Store.Keys) == 0 {
		return errors.New(firstKey(d.config, time.Now()))
	}
	if err := d.asOwner(); err != nil {
		return err
	}
	pictures, err := store.New(d.config, slog.New(slog.DiscardHandler)) //nolint:contextcheck // what opening does ends by itself
	if err != nil {
		return err
	}
	defer func() { _ = pictures.Close() }()
	p := newProgress(s.err, unknownTotal)
	found, err := pictures.Rewrap(ctx, func(seen int) { p.at(seen, "keys looked at") })
	p.end()
	out := rewrapped{
		First: pictures.First(), Changed: found.Changed, Under: found.Under, Needed: found.Needed(pictures.First()), Unreadable: found.Unreadable,
	}
	if found.Why != nil {
		out.Detail = strings.TrimPrefix(found.Why.Error(), "store: ")
	}
	if err != nil {
		return fmt.Errorf("%w\n%d were wrapped by %q before that; run it again for the others", err, out.Changed, out.First)
	}
	if err := out.print(s.out, c.JSON); err != nil {
		return err
	}
	if len(out.Needed) > 0 || out.Unreadable > 0 {
		return failure{code: exitFindings}
	}
	return nil
}

func (r rewrapped) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s wrapped anew by %q\n", count(r.Changed, "key"), r.First)
	for _, id := range slices.Sorted(maps.Keys(r.Under)) {
		fmt.Fprintf(&b, "  %s  %d\n", id, r.Under[id])
	}
	if r.Unreadable > 0 {
		fmt.Fprintf(&b, "%s cannot be opened, such as one of which is said: %s\n", count(r.Unreadable, "key"), visible(r.Detail))
	}
	if len(r.Needed) > 0 {
		fmt.Fprintf(&b, "Still needed: %s. Start every gateway with %q first, and run this again.\n", strings.Join(r.Needed, ", "), r.First)
	} else {
		fmt.Fprintf(&b, "No other key is needed now. Once every gateway has been started with %q first, run this once more, and then take the others out of store.keys, and out of the folder data: one that was not may still store by them.\n", r.First)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/budget"
)

// doctorTime is how long a Redis has to answer the doctor's questions, and a bucket
// to take a picture.
const doctorTime = 5 * time.Second

// examination is what can be told of a configuration whose files are right.
type examination struct {
	loaded   *config.Loaded
	redis    string // how the journal is kept, in a line
	store    string // where pictures are, if that is a bucket
	findings []config.Problem
	warnings []config.Problem
}

// examine puts the gateway together without starting it, and asks the Redis and the
// bucket.
func (s *session) examine(ctx context.Context, loaded *config.Loaded) *examination {
	e := &examination{loaded: loaded}
	if _, err := s.NewGateway(loaded, slog.New(slog.DiscardHandler)); err != nil {
		e.unable(err)
	}
	e.unread()
	e.exampleAddress()
	e.issuer(ctx)
	e.withoutHEIC()
	e.folders()
	if loaded.Config.Redis == nil {
		e.private()
	} else {
		e.doctor(ctx)
	}
	if loaded.Config.Store.S3 != nil {
		e.bucket(ctx)
	}
	return e
}

// unable tells why the gateway would not start.
func (e *examination) unable(err error) {
	const why = "the gateway would not start"
	if memory, ok := errors.AsType[budget.Misfit](err); ok {
		what, fix, _ := strings.Cut(memory.Error(), ": ")
		e.findings = append(e.findings, e.problem("photos", what, why, fix))
		return
	}
	for line := range strings.Lines(err.Error()) { // several errors, joined
		e.findings = append(e.findings, e.problem("", strings.TrimSuffix(line, "\n"), why, ""))
	}
}

// problem is one at a key of the gateway's file, or, where the key is empty, of
// the whole.
func (e *examination) problem(key, what, why, fix string) config.Problem {
	p := config.Problem{File: e.loaded.Path, What: visible(what), Why: why, Fix: fix}
	if key != "" {
		p.Line, p.Column = place(e.loaded.Path, key)
	}
	return p
}

// place finds a key at the top level of a file; zero where it is not found.
func place(path, key string) (line, column int) {
	f, _, err := openRegular(path)
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(lines.Text(), key+":") {
			return n, 1
		}
	}
	return 0, 0
}

// queues are the accounts' queues, each once, in order.
func (e *examination) queues() []string {
	var list []string
	for _, s := range e.loaded.Connectors {
		for _, a := range s.AccountList() {
			list = append(list, a.Queue)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// readers are the services that may fetch the photos of a queue.
func (e *examination) readers(queue string) []string {
	var list []string
	for _, s := range e.loaded.Config.Services {
		if slices.Contains(s.Queues, queue) {
			list = append(list, s.Name)
		}
	}
	return list
}

// unread warns of queues whose photos nobody could see, and of a gateway
// without connectors.
func (e *examination) unread() {
	if len(e.loaded.Connectors) == 0 {
		e.warnings = append(e.warnings, e.problem("", "no connectors", "no platform can send anything",
			"put a file for each into "+visible(e.loaded.Config.Connectors)))
	}
	for _, q := range e.queues() {
		if len(e.readers(q)) == 0 && len(e.agents(q)) == 0 {
			e.warnings = append(e.warnings, e.problem("", fmt.Sprintf("no service and no agent may see the photos of queue %q", q),
				"messages arrive, and nobody can see their photos", "name the queue in queues of one of the services, or of an agent"))
		}
	}
}

// exampleAddress warns of a public_url that was left as it stands in the example. Names
// below these are nobody's, by RFC 2606.
func (e *examination) exampleAddress() {
	u, err := url.Parse(e.loaded.Config.PublicURL)
	if err != nil {
		return // which has been found already
	}
	host := "." + strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	for _, name := range []string{".example", ".example.com", ".example.net", ".example.org"} {
		if strings.HasSuffix(host, name) {
			e.warnings = append(e.warnings, e.problem("public_url", "public_url is still an example's: "+u.Hostname(),
				"no platform can call that", "set it to the address under which the platforms reach this gateway"))
		}
	}
}

// iPhones is the channel that is spoken by nothing but Apple's devices. They store
// photos as HEIC, and Apple documents no conversion on the way: it refuses no
// type and leaves that to us.
const iPhones = "apple"

// withoutHEIC warns of accounts whose consumers will send a format that is not
// developed.
func (e *examination) withoutHEIC() {
	for _, c := range e.loaded.Connectors {
		list := c.AccountList()
		for _, a := range list {
			photos := a.Photos.Over(e.loaded.Config.Photos.Photos)
			off := photos.Enabled != nil && !*photos.Enabled
			if c.Common().Channel != iPhones || off || slices.Contains(photos.Formats, "heic") {
				continue
			}
			name := c.Common().FullName()
			if a.Name != "" && len(list) > 1 {
				name += "/" + a.Name
			}
			instead := "a JPEG"
			if f := photos.Formats; len(f) > 0 && !slices.Contains(f, "jpeg") {
				instead = strings.Join(f, " or ")
			}
			e.warnings = append(e.warnings, e.problem("", name+" accepts no HEIC, in which iPhones store photos",
				"one that arrives so is rejected as unsupported_type, and its sender is asked for "+instead,
				"none yet: HEIC cannot be developed; ask for screenshots, or for "+instead))
		}
	}
}

// private tells what stands in for a Redis that is not configured.
func (e *examination) private() {
	if _, err := exec.LookPath("redis-server"); err == nil {
		e.redis = "private redis-server, started and ended with the gateway"
		return
	}
	e.redis = "memory only"
	e.warnings = append(e.warnings, e.problem("", "no redis is configured and no redis-server is on PATH",
		"messages would die with the gateway", "install redis-server, or set redis.address"))
}

// verdict is the last line's beginning.
func (e *examination) verdict() string {
	if n := len(e.warnings); n > 0 {
		return "no problems, " + count(n, "warning")
	}
	return "no problems"
}

// print says what the gateway would do: who may send, where messages go, who
// may see the photos. Warnings come last.
func (e *examination) print(s stream) error {
	var b strings.Builder
	for _, c := range e.loaded.Connectors {
		name := c.Common().FullName()
		fmt.Fprintf(&b, "%s\n  webhook  %s/webhooks/%s\n", name, strings.TrimRight(e.loaded.Config.PublicURL, "/"), name)
		for _, a := range c.AccountList() {
			fmt.Fprintf(&b, "  account  %s\n", visible(strings.TrimLeft(a.Name+" ", " ")+a.ID+", queue "+a.Queue))
		}
		if c.Common().AllowPrivateAddresses {
			fmt.Fprintln(&b, "  allows   private addresses and plain http: for simulated platforms only")
		}
	}
	for _, q := range e.queues() {
		readers, agents := e.readers(q), e.agents(q)
		if len(readers)+len(agents) > 0 {
			fmt.Fprintf(&b, "queue %s\n", q)
		}
		if len(readers) > 0 {
			fmt.Fprintf(&b, "  photos   for %s\n", strings.Join(readers, ", "))
		}
		if len(agents) > 0 {
			fmt.Fprintf(&b, "  agents   %s\n", strings.Join(agents, ", "))
		}
	}
	fmt.Fprintf(&b, "redis\n  %s\n", e.redis)
	if e.store != "" {
		fmt.Fprintf(&b, "store\n  %s\n", e.store)
	}
	for _, p := range e.warnings {
		fmt.Fprintf(&b, "warning: %s\n  why  %s\n  fix  %s\n", p.What, p.Why, p.Fix)
	}
	_, err := fmt.Fprint(s, b.String())
	return err
}

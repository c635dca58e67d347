package connectortest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/line/linesim"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/wire"
)

func mac(secret config.Secret, body []byte) []byte {
	return wire.MAC(sha256.New, []byte(secret.Reveal()), body)
}

// lineSubject is a subject that passes everything.
func lineSubject() Subject {
	return Subject{
		Channel: line.Channel(),
		Start:   func() (sim.Platform, error) { return linesim.Start() },
	}
}

// failing returns the names of those of the given checks that s fails, and what
// they say.
func failing(s Subject, list []check) (names, texts []string) {
	for _, c := range list {
		err := c.do(s)
		var skipped unconcerned
		if err != nil && !errors.As(err, &skipped) {
			names, texts = append(names, c.name), append(texts, fmt.Sprintf("%s: %v", c.name, err))
		}
	}
	slices.Sort(names)
	return names, texts
}

// TestMutants runs the suite over connectors that break the contract in one way
// each. The check that is meant to notice must fail, and no other.
func TestMutants(t *testing.T) {
	used := map[string]map[string][]string{"line": methodsUsed(t, lineNoting), "toy": methodsUsed(t, toyNoting)}
	var noticed sync.Map
	t.Run("each", func(t *testing.T) {
		for name, m := range allMutants() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				got, texts := failing(m.subject, m.concerned(used[m.subject.Channel.Name]))
				want := slices.Sorted(slices.Values(strings.Fields(m.breaks)))
				if !slices.Equal(got, want) {
					t.Errorf("got failing checks %q\nwant %q\n%s", got, want, strings.Join(texts, "\n"))
				}
				for _, name := range got {
					noticed.Store(name, true)
				}
			})
		}
	})
	for _, c := range checks() {
		if _, ok := noticed.Load(c.name); !ok {
			t.Errorf("no mutant makes check %s fail, so nobody knows whether it can", c.name)
		}
	}
}

// methodsUsed runs every check over a connector that is not broken, and returns
// which of its methods each calls. The subject tells note of every call.
func methodsUsed(t *testing.T, subject func(note func(method string)) Subject) map[string][]string {
	t.Helper()
	used := map[string][]string{}
	for _, c := range checks() {
		var calls sync.Map
		s := subject(func(method string) { calls.Store(method, true) })
		if _, texts := failing(s, []check{c}); len(texts) > 0 {
			t.Errorf("%s itself: %s", s.Channel.Title, texts[0])
		}
		calls.Range(func(method, _ any) bool {
			used[c.name] = append(used[c.name], method.(string))
			return true
		})
	}
	return used
}

func lineNoting(note func(method string)) Subject {
	s := lineSubject()
	s.Channel.New = func(settings config.Settings, env connectors.Env) (connectors.Connector, error) {
		return newTwisted(settings, env, func(t *twisted) { t.note = note })
	}
	return s
}

// concerned returns the checks that can tell m from a connector that is not
// broken. Running all of them for each mutant would take a minute.
func (m subjectMutant) concerned(used map[string][]string) []check {
	list := checks()
	if m.subject.Channel.Name == "line" {
		list = inboundChecks() // what we say is the toy's part
	}
	return slices.DeleteFunc(list, func(c check) bool {
		if m.replaces == nil {
			return !slices.Contains([]string{"channel", "texts", "settings", "responder", "challenge"}, c.name)
		}
		return !slices.ContainsFunc(m.replaces, func(method string) bool {
			return slices.Contains(used[c.name], method) && (method != "Parse" || asksParse(c))
		})
	})
}

// asksParse tells whether c asks more of Parse than to hear one message, as all
// checks of Send do, or the empty call with which a platform tries a webhook.
func asksParse(c check) bool {
	outbound := slices.ContainsFunc(outboundChecks(), func(o check) bool { return o.name == c.name })
	return !outbound || c.name == "send_text" || c.name == "send_reply_token"
}

// subjectMutant is a subject that breaks the contract, and the checks that must
// notice.
type subjectMutant struct {
	breaks  string
	subject Subject
	// replaces are the methods of a connector that are others than they were;
	// none where only the description or the handshake is another.
	replaces []string
}

func allMutants() map[string]subjectMutant {
	all := map[string]subjectMutant{}
	for _, m := range slices.Concat(
		verifyMutants(), proofMutants(), parseMutants(), envelopeMutants(),
		fetchMutants(), streamMutants(), hostMutants(), tellingMutants(),
	) {
		s := lineSubject()
		s.Channel.New = func(c config.Settings, env connectors.Env) (connectors.Connector, error) {
			return newTwisted(c, env, m.twist)
		}
		all[m.name] = subjectMutant{m.breaks, s, m.replaces()}
	}
	for _, m := range slices.Concat(
		shapeMutants(), lookupMutants(), sendMutants(), partyMutants(), sendFaultMutants(), sendHostMutants(), registerMutants(), registerHostMutants(),
	) {
		s, replaced := m.subject()
		all[m.name] = subjectMutant{m.breaks, s, replaced}
	}
	maps.Copy(all, describeMutants())
	return all
}

// sharedSettings gives the same settings to everybody.
func sharedSettings() func() config.Settings {
	one := &line.Config{}
	return func() config.Settings { return one }
}

func describeMutants() map[string]subjectMutant {
	all := map[string]subjectMutant{}
	add := func(name, breaks string, change func(*Subject)) {
		s := lineSubject()
		change(&s)
		all[name] = subjectMutant{breaks: breaks, subject: s}
	}
	add("has no limit", "channel", func(s *Subject) { s.Channel.BodyLimit = 0 })
	add("takes no text", "texts", func(s *Subject) { s.Channel.Texts.Limit = 0 })
	add("has no console", "texts", func(s *Subject) { s.Channel.Console = " " })
	add("cannot, and says not why", "texts", func(s *Subject) { s.Channel.Cannot = map[string]string{"parse_batch": ""} })
	add("shares its settings", "channel", func(s *Subject) { s.Channel.Settings = sharedSettings() })
	add("has settings that fail their check", "settings", func(s *Subject) {
		s.Start = func() (sim.Platform, error) {
			p, err := linesim.Start()
			p.BotID = "somebody"
			return p, err
		}
	})
	add("answers with no media type", "responder", func(s *Subject) {
		s.Channel.New = func(c config.Settings, env connectors.Env) (connectors.Connector, error) {
			inner, err := line.New(c, env)
			return mute{inner}, err
		}
	})
	handshakes := func(name, breaks string, rule func(token, given string) bool) {
		add(name, breaks, func(s *Subject) { shakeHands(s, rule) })
	}
	handshakes("compares the handshake's token", "", func(token, given string) bool { return token == given })
	handshakes("answers any handshake", "challenge", func(string, string) bool { return true })
	handshakes("trims the handshake's token", "challenge", func(token, given string) bool { return token == strings.TrimSpace(given) })
	handshakes("answers no handshake", "challenge", func(string, string) bool { return false })
	add("knows no handshake", "challenge", func(s *Subject) {
		s.Start = func() (sim.Platform, error) {
			p, err := linesim.Start()
			return knocking{p}, err
		}
	})
	return all
}

// mute is a Responder with nothing to say.
type mute struct{ connectors.Connector }

func (mute) Response() (contentType, body string) { return "", "" }

// knocking is a LINE that makes a handshake, as LINE does not.
type knocking struct{ *linesim.Platform }

func (k knocking) Handshake(address string) *connectors.Request {
	query := url.Values{"mode": {"subscribe"}, "token": {k.Secret}, "challenge": {"1158201444"}}
	return &connectors.Request{Method: "GET", URL: address + "?" + query.Encode()}
}

// opening answers that handshake where rule agrees with the token.
type opening struct {
	connectors.Connector
	token string
	rule  func(token, given string) bool
}

func (o opening) Challenge(r *connectors.Request) (string, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return "", err
	}
	q := u.Query()
	single := !slices.ContainsFunc([]string{"mode", "token", "challenge"}, func(name string) bool { return len(q[name]) != 1 })
	word := q.Get("challenge")
	if !single || q.Get("mode") != "subscribe" || word == "" || len(word) > 1000 || !o.rule(o.token, q.Get("token")) {
		return "", connectors.Errorf(connectors.Unauthentic, "test", "no")
	}
	return word, nil
}

func (opening) ChallengeType() string { return "text/plain" }

func shakeHands(s *Subject, rule func(token, given string) bool) {
	s.Start = func() (sim.Platform, error) {
		p, err := linesim.Start()
		return knocking{p}, err
	}
	s.Channel.New = func(c config.Settings, env connectors.Env) (connectors.Connector, error) {
		inner, err := line.New(c, env)
		token := ""
		if list := c.(*line.Config).ChannelSecret; len(list) > 0 {
			token = list[0].Reveal()
		}
		return opening{inner, token, rule}, err
	}
}

func TestCannot(t *testing.T) {
	got := unknown(map[string]string{"parse_batch": "one message per call", "parse_bacth": "misspelt"})
	if want := []string{"parse_bacth"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got unknown checks %q, want %q", got, want)
	}
	s := lineSubject()
	s.Channel.Cannot = map[string]string{}
	for _, c := range checks() {
		s.Channel.Cannot[c.name] = "not now"
	}
	s.Start = func() (sim.Platform, error) { panic("a skipped check starts nothing") }
	Run(t, s)
}

func TestCheckNames(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range checks() {
		if seen[c.name] || c.promise == "" || c.run == nil {
			t.Errorf("check %q is there twice or has no promise or function", c.name)
		}
		seen[c.name] = true
	}
}

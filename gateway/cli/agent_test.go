package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue"
)

func TestAgentToken(t *testing.T) {
	r := lightlock(t, "agent", "token", "--id", "ben", "--name", `Ben "B" O'Neill: <b>`, "--queue", "support", "--queue", "sales")
	wantExit(t, r, exitDone)
	token, entry, _ := strings.Cut(r.out, "\n")
	if !regexp.MustCompile(`^llat_[A-Za-z0-9_-]{43}$`).MatchString(token) {
		t.Errorf("the first line is %q", token)
	}
	hasAll(t, r.err, "for ben alone", "agents file")
	if strings.Contains(r.err, token) || strings.Contains(entry, token) {
		t.Errorf("the token is printed more than once:\n%s\n%s", r.out, r.err)
	}
	path := put(t, t.TempDir(), "agents.yaml", []byte("agents:\n"+entry))
	c := config.Default()
	c.Agents.File = path
	got, err := config.LoadAgents(&c, nil)
	if err != nil || len(got) != 1 || got[0].TokenSHA256 != config.TokenHash(token) || got[0].Name != `Ben "B" O'Neill: <b>` || len(got[0].Queues) != 2 {
		t.Errorf("the file is read as %+v, %v", got, err)
	}
	if again := lightlock(t, "agent", "token", "--id", "ben", "--queue", "support"); strings.Contains(again.out, token) {
		t.Error("the same token twice")
	}
}

func TestAgentTokenAsJSON(t *testing.T) {
	r := lightlock(t, "agent", "token", "--id", "eva@example.com", "--queue", "support", "--json")
	wantExit(t, r, exitDone)
	var got agentToken
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.err != "" {
		t.Fatalf("%v: %s %s", err, r.out, r.err)
	}
	if got.TokenSHA256 != config.TokenHash(got.Token) || got.ID != "eva@example.com" || !strings.Contains(got.Entry, got.TokenSHA256) {
		t.Errorf("got %+v", got)
	}
}

func TestAgentTokenForNobody(t *testing.T) {
	for _, c := range []struct{ id, name, queue, want string }{
		{"", "", "support", "id"},
		{"ben o", "", "support", "id: not made of letters"},
		{"oidc:1", "", "support", "id: not made of letters"},
		{"../ben", "", "support", "id: not made of letters"},
		{strings.Repeat("x", 65), "", "support", "id: too long"},
		{"ben", strings.Repeat("x", 129), "support", "name: too long"},
		{"ben", "Ben", "Support", `queues[0]: "Support" is not a name`},
		{"ben", "Ben", "a,b", "queues[0]: "},
		{"ben", "Ben", "", "queues[0]: "},
	} {
		r := lightlock(t, "agent", "token", "--id="+c.id, "--name="+c.name, "--queue="+c.queue)
		if r.code != exitFailed || r.out != "" || !strings.Contains(r.err, c.want) {
			t.Errorf("%.20q %.20q %q: exit %d, %q, %q", c.id, c.name, c.queue, r.code, r.out, r.err)
		}
	}
	if r := lightlock(t, "agent", "token", "--queue", "support"); r.code != exitFailed || !strings.Contains(r.err, "--id") {
		t.Errorf("without an id: exit %d, %s", r.code, r.err)
	}
}

const someAgents = "agents:\n  - {id: ben, token_sha256: 3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b, queues: [support]}\n"

func TestCheckJudgesTheAgents(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	gateway := strings.Replace(goodGateway, "services:", "agents:\n  file: agents.yaml\nservices:", 1)
	configured(t, gateway, goodLine)
	put(t, ".", "agents.yaml", []byte(someAgents))
	r := lightlock(t, "check")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "  agents   ben\n", " in 3 files\n")

	put(t, ".", "agents.yaml", []byte("agents:\n  - {id: ben, token_sha256: llat_"+secretCanary+", queue: [support], queues: [supp]}\n  - {id: ben, name: Ben, token_sha256: 0}\n"))
	r = lightlock(t, "check")
	wantExit(t, r, exitFindings)
	discreet(t, r)
	hasAll(t, r.out, `agents.yaml:2:`, `unknown key "queue"`, "agents[0].token_sha256: not a SHA-256", `no account has the queue "supp"`,
		"agents[1].id: the same as of agents[0]", "agents[1].token_sha256: ", `missing key "queues"`, "in 1 of 3 files")

	if err := os.Remove("agents.yaml"); err != nil {
		t.Fatal(err)
	}
	r = lightlock(t, "check")
	wantExit(t, r, exitFindings)
	hasAll(t, r.out, "lightlock.yaml:3:9: agents.file: the file does not exist")
}

func TestCheckAsksTheIssuer(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	name := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": name, "jwks_uri": name + "/keys"})
	}))
	defer server.Close()
	gateway := strings.Replace(goodGateway, "services:", "agents:\n  oidc: {issuer: \""+server.URL+"\", client_id: lightlock, queues: [support]}\nservices:", 1)
	configured(t, gateway, goodLine)
	name = server.URL
	r := lightlock(t, "check")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "  agents   whom "+server.URL+" knows\n")
	if strings.Contains(r.out, "cannot be believed") {
		t.Errorf("it is believed:\n%s", r.out)
	}
	const proxied = "seem to come from one address"
	if strings.Contains(r.out, proxied) {
		t.Errorf("nobody signs in by a browser:\n%s", r.out)
	}
	secret := strings.Replace(gateway, "client_id: lightlock", "client_id: lightlock, client_secret: \"${CLIENT_SECRET}\"", 1)
	t.Setenv("CLIENT_SECRET", secretCanary)
	for text, want := range map[string]bool{secret: true, secret + "trusted_proxies: [127.0.0.0/8]\n": false} {
		configured(t, text, goodLine)
		if r := lightlock(t, "check"); strings.Contains(r.out, proxied) != want {
			t.Errorf("want that it warns: %v; got\n%s", want, r.out)
		}
	}
	configured(t, gateway, goodLine)
	name = server.URL + "/"
	r = lightlock(t, "check")
	wantExit(t, r, exitDone)
	hasAll(t, r.out, "warning: the issuer cannot be believed: ", "must be exactly its own name")
}

func TestAgentRelease(t *testing.T) {
	g := openGraveyard(t)
	for i, name := range []string{"one", "two", "three"} {
		id := g.talk(name)
		to := queue.Agent{ID: []string{"ben", "ben", "oidc:eva"}[i]}
		if _, err := g.Assign(t.Context(), "support", id, queue.Assignment{To: to}); err != nil {
			t.Fatal(err)
		}
	}
	const noFile = `note: no agents file is configured, so that no agent has the id "ben"; those of the issuer's begin with oidc:` + "\n"
	for _, c := range []struct{ args, out, err string }{
		{"--id ben --queue support", "support  2 conversations of ben put back\n", ""},
		{"--id ben", "support  0 conversations of ben put back\n", noFile},
		{"--id oidc:eva --json", `{"queue":"support","agent":"oidc:eva","conversations":1}` + "\n", ""},
		{"--id oidc:nobody", "support  0 conversations of oidc:nobody put back\n", ""},
	} {
		r := lightlock(t, append([]string{"agent", "release"}, strings.Fields(c.args)...)...)
		wantExit(t, r, exitDone)
		if r.out != c.out || r.err != c.err {
			t.Errorf("%s: printed %q, %q, want %q, %q", c.args, r.out, r.err, c.out, c.err)
		}
	}
	text, err := os.ReadFile("lightlock.yaml")
	if err != nil {
		t.Fatal(err)
	}
	put(t, ".", "lightlock.yaml", append([]byte("agents:\n  file: agents.yaml\n"), text...))
	put(t, ".", "agents.yaml", []byte(someAgents))
	for id, want := range map[string]string{"ben": "", "nobody": `note: the agents file has no id "nobody"` + "\n"} {
		r := lightlock(t, "agent", "release", "--id", id)
		wantExit(t, r, exitDone)
		if r.out != "support  0 conversations of "+id+" put back\n" || r.err != want {
			t.Errorf("%s: printed %q, %q, want %q", id, r.out, r.err, want)
		}
	}
	put(t, ".", "agents.yaml", []byte("agents: ["))
	if r := lightlock(t, "agent", "release", "--id", "ben"); r.code != exitDone || !strings.Contains(r.err, "note: the agents file cannot be read") {
		t.Errorf("with a file that is half written: exit %d, %q", r.code, r.err)
	}
	list, _, total, err := g.Waiting(t.Context(), "support", "", 10)
	if err != nil || total != 3 || list[0].Agent.ID != "" {
		t.Errorf("%d wait: %+v, %v", total, list, err)
	}
	for args, want := range map[string]string{
		"": "--id", "--id=": "--id", "--id=*": "--id is an agent's id", "--id ben --queue nowhere": `no queue "nowhere"`, "--id ben --config nowhere.yaml": "nowhere.yaml",
	} {
		r := lightlock(t, append([]string{"agent", "release"}, strings.Fields(args)...)...)
		if r.code != exitFailed || !strings.Contains(r.err, want) {
			t.Errorf("%q: exit %d, %q, want %q", args, r.code, r.err, want)
		}
	}
}

// talk is a conversation that waits.
func (g graveyard) talk(name string) string {
	g.t.Helper()
	ctx, key, party := g.t.Context(), keyOf(name), keyOf("party "+name)
	if _, err := g.Accept(ctx, "support", []queue.Item{{Kind: queue.ItemMessage, Key: key, Party: party, Payload: jobOf(deadBot, name)}}); err != nil {
		g.t.Fatal(err)
	}
	entries, err := g.Take(ctx, "support", queue.Words, 1, 0)
	if err != nil || len(entries) != 1 {
		g.t.Fatalf("took %d entries: %v", len(entries), err)
	}
	e := entries[0]
	if err := g.Begin(ctx, &e, ""); err != nil {
		g.t.Fatal(err)
	}
	got, err := g.Complete(ctx, e, queue.End{Document: []byte("{}"), Party: party, Chat: &queue.ChatUpdate{
		Kind: queue.ItemMessage, Party: party, Channel: "line", Account: "line/acme", AccountID: deadBot, Consumer: queue.Consumer{ID: "U1"}, ReceivedAt: time.Now(),
		Item: queue.ConversationItem{ID: key, Position: queue.Position(e.Seq), Message: &queue.MessageData{Text: name}},
	}})
	if err != nil || got != queue.Mine {
		g.t.Fatalf("complete: %v, %v", got, err)
	}
	return e.Conversation
}

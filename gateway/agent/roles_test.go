package agent_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/identity/issuertest"
	"github.com/lightlock/lightlock/gateway/ops"
)

// role is somebody who makes calls.
type role struct {
	name  string
	token string
	// cookie is a session of Ben's: a good one, or one that is over.
	cookie string
	// site is what a browser says about the page that makes the call.
	site string
	// service calls are made for Ben.
	service bool
	// link tells that there is no token, but a link to the photo, minted when Ben had it.
	link bool
}

// roles are all who may call, in the order of the columns below.
func (h *house) roles(issuer *issuertest.Issuer) []role {
	h.Helper()
	good, over := h.signIn(benToken), h.signIn(benToken)
	h.call("", http.MethodDelete, "/v1/session", "", "Cookie", over, "Sec-Fetch-Site", "same-origin").want(h, "signing out", http.StatusNoContent)
	h.employ("ben", "eva", "sal", "both", "zoe", "lea")
	gatewaytest.Await(h, "Lea is there", func() bool { return !h.people.Left("lea", support) })
	h.employ("ben", "eva", "sal", "both", "zoe", "lea in sales")
	gatewaytest.Await(h, "Lea has lost the queue", func() bool { return h.people.Left("lea", support) })
	return []role{
		{name: "nobody"},
		{name: "who has a link of Ben's", link: true},
		{name: "a bad token", token: strings.ToUpper(benToken)},
		{name: "a session that is over", cookie: over, site: "same-origin"},
		{name: "another site, by Ben's cookie", cookie: good, site: "cross-site"},
		{name: "who does not say of which site, by Ben's cookie", cookie: good},
		{name: "an agent of another queue", token: salToken},
		{name: "Lea, who has lost the queue", token: leaToken},
		{name: "a service of another queue", token: shopToken, service: true},
		{name: "Ben", token: benToken},
		{name: "Ben's browser", cookie: good, site: "same-origin"},
		{name: "Eva, who had Ben's before him", token: evaToken},
		{name: "another agent of the queue", token: bothToken},
		{name: "an agent whom the issuer knows", token: issuer.Token("ada")},
		{name: "a service of the queue", token: deskToken, service: true},
	}
}

// signIn signs in as a browser does, and returns the cookie.
func (h *house) signIn(token string) string {
	h.Helper()
	a := h.call("", http.MethodPost, "/v1/session", `{"token":"`+token+`"}`, "Sec-Fetch-Site", "same-origin")
	a.want(h, "signing in", http.StatusNoContent)
	cookie, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	return cookie
}

// route is one row for each state: what every role is answered, in their order.
// "any" stands for all states.
type route struct {
	method, path string
	// body and desk are what agents and services send.
	body, desk string
	want       map[string]string
}

// The rows, in the order of roles: nobody, a link of Ben's, a bad token, a session that
// is over, another site, a silent one; another queue's agent, one who has lost the
// queue, another queue's service; Ben, Ben's browser, Eva, another agent, the issuer's
// agent, a service.
const (
	everybody    = "200 200 200 200 200 200 200 200 200 200 200 200 200 200 200"
	whoIsKnown   = "401 401 401 401 200 200 200 200 200 200 200 200 200 200 200"
	whoHasQueue  = "401 401 401 401 200 200 404 404 404 200 200 200 200 200 200"
	benAndDesk   = "401 200 401 401 200 200 404 404 404 200 200 404 404 404 200"
	evaAndDesk   = "401 404 401 401 404 404 404 404 404 404 404 200 404 404 200"
	onlyDesk     = "401 404 401 401 404 404 404 404 404 404 404 404 404 404 200"
	workBen      = "401 401 401 401 401 401 404 404 404 200 200 409 409 409 200"
	workEva      = "401 401 401 401 401 401 404 404 404 409 409 200 409 409 200"
	workEvaAlone = "401 401 401 401 401 401 404 404 404 409 409 200 409 409 409"
	workDesk     = "401 401 401 401 401 401 404 404 404 409 409 409 409 409 200"
	workAll      = "401 401 401 401 401 401 404 404 404 200 200 200 200 200 200"
	workNobody   = "401 401 401 401 401 401 404 404 404 409 409 409 409 409 409"
	noted        = "401 401 401 401 401 401 404 404 404 204 204 204 204 204 204"
	answerBen    = "401 401 401 401 401 401 404 404 404 202 202 409 409 409 202"
	answerEva    = "401 401 401 401 401 401 404 404 404 409 409 202 409 409 202"
	answerDesk   = "401 401 401 401 401 401 404 404 404 409 409 409 409 409 202"
	linkBen      = "401 401 401 401 401 401 404 404 404 200 200 404 404 404 200"
	linkEva      = "401 401 401 401 401 401 404 404 404 404 404 200 404 404 404"
	linkNobody   = "401 401 401 401 401 401 404 404 404 404 404 404 404 404 404"
	refusedAll   = "401 401 401 401 401 401 401 401 401 401 401 401 401 401 401"
	foundByNone  = "404 404 404 404 404 404 404 404 404 404 404 404 404 404 404"
)

func routesOfTheAPI() []route {
	one := func(method, path, body, desk string, want map[string]string) route {
		return route{method, path, body, desk, want}
	}
	all := func(row string) map[string]string { return map[string]string{"any": row} }
	photos := map[string]string{
		waiting: onlyDesk, mine: benAndDesk, others: evaAndDesk, closedMine: benAndDesk, closedOthers: evaAndDesk, closedNobody: onlyDesk,
		late: onlyDesk, lost: onlyDesk,
	}
	get, head, post := http.MethodGet, http.MethodHead, http.MethodPost
	conversation, photo := "/v1/conversations/{conversation}", "/v1/photos/{photo}"
	return []route{
		one(get, "/v1/openapi.json", "", "", all(everybody)),
		one(get, "/v1/openapi.yaml", "", "", all(everybody)),
		one(get, "/v1/session/ways", "", "", all(everybody)), one(head, "/v1/session/ways", "", "", all(everybody)),
		one(get, "/v1/session/oidc", "", "", all(foundByNone)),
		one(get, "/v1/session/oidc/callback", "", "", all(foundByNone)),
		one(get, "/v1/me", "", "", all(whoIsKnown)),
		one(get, "/v1/events", "", "", all(whoIsKnown)),
		one(get, "/v1/agents?queue=support", "", "", all(whoHasQueue)),
		one(get, "/v1/conversations?queue=support", "", "", all(whoHasQueue)),
		one(get, "/v1/conversations?queue=support&view=mine&agent=", "", "", all("401 401 401 401 200 200 404 404 404 200 200 200 200 200 400")),
		one(get, "/v1/conversations?queue=support&view=closed", "", "", all(whoHasQueue)),
		one(get, conversation, "", "", all(whoHasQueue)),
		one(get, conversation+"/messages", "", "", all(whoHasQueue)),
		one(post, conversation+"/take", "", `{"agent":"ben"}`, map[string]string{
			waiting: workAll, mine: workBen, others: workEvaAlone, closedMine: workNobody, closedOthers: workNobody, closedNobody: workNobody,
			late: workAll, lost: workNobody,
		}),
		one(post, conversation+"/transfer", `{"to":"zoe"}`, `{"to":"zoe"}`, map[string]string{
			waiting: workDesk, mine: workBen, others: workEva, closedMine: workNobody, closedOthers: workNobody, closedNobody: workNobody,
			late: workDesk, lost: workDesk,
		}),
		one(post, conversation+"/close", "", "", map[string]string{
			waiting: workDesk, mine: workBen, others: workEva, closedMine: workAll, closedOthers: workAll, closedNobody: workAll,
			late: workDesk, lost: workDesk,
		}),
		one(post, conversation+"/read", `{"arrival":1}`, `{"arrival":1,"agent":"ben"}`, all(noted)),
		one(post, conversation+"/replies", `{"text":"hello"}`, `{"text":"hello"}`, map[string]string{
			waiting: answerDesk, mine: answerBen, others: answerEva, closedMine: workNobody, closedOthers: workNobody, closedNobody: workNobody,
			late: workNobody, lost: answerDesk,
		}),
		one(get, photo+"/preview", "", "", photos), one(head, photo+"/preview", "", "", photos),
		one(get, photo+"/thumbnail", "", "", photos), one(head, photo+"/thumbnail", "", "", photos),
		one(post, photo+"/links", "", `{"agent":"ben"}`, map[string]string{
			waiting: linkNobody, mine: linkBen, others: linkEva, closedMine: linkBen, closedOthers: linkEva, closedNobody: linkNobody,
			late: linkNobody, lost: linkNobody,
		}),
		// At the end, because Ben's browser signs out, and failed sign-ins are few.
		one(http.MethodDelete, "/v1/session", "", "", all("204 204 204 204 401 401 204 204 204 204 204 204 204 204 204")),
		one(post, "/v1/session", `{"token":"nobody's"}`, `{"token":"nobody's"}`, all(refusedAll)),
	}
}

// TestEveryRoleOnEveryRoute makes every call as everybody, with the conversation in
// every state. A call that is refused must have changed nothing.
func TestEveryRoleOnEveryRoute(t *testing.T) {
	issuer := issuertest.Start(t, []issuertest.User{{ID: "7", Username: "ada", First: "Ada"}})
	h := openWith(t, func(c *config.Config) {
		c.Agents.OIDC = issuer.Config(support)
		c.Agents.OIDC.ClientSecret = config.Secret{} // for bearers alone
		c.TrustedProxies = []string{"127.0.0.0/8"}   // so that everybody comes from somewhere else
	})
	gatewaytest.Await(t, "the issuer is known", func() bool { return !slices.ContainsFunc(h.people.Check(t.Context()), isWrong) })
	roles := h.roles(issuer)
	for _, r := range routesOfTheAPI() {
		tried := states()
		if !strings.Contains(r.path, "{") {
			tried = tried[:1] // it is about no conversation
		}
		for _, state := range tried {
			// Nothing is different in the archive.
			row, ok := r.want[strings.TrimSuffix(state, ", archived")]
			if !ok {
				row = r.want["any"]
			}
			h.tryRow(roles, r, state, strings.Fields(row))
		}
	}
}

func isWrong(l ops.Line) bool { return l.State != ops.OK }

// tryRow makes a call as everybody. Who changes something gets a conversation of
// their own.
func (h *house) tryRow(roles []role, r route, state string, row []string) {
	h.Helper()
	with := named // pictures take time
	if strings.HasPrefix(r.path, "/v1/photos/") {
		with = linked
	}
	conversation, photo, link := h.made(state, with)
	if len(row) != len(roles) {
		h.Fatalf("%s %s: %s has %d columns", r.method, r.path, state, len(row))
	}
	before, used := h.version(conversation), false
	for i, who := range roles {
		if used {
			conversation, photo, link = h.made(state, with)
			before = h.version(conversation)
		}
		status, _ := strconv.Atoi(row[i])
		what := strings.Join([]string{r.method, r.path, state, who.name}, ", ")
		target := strings.NewReplacer("{conversation}", conversation, "{photo}", photo).Replace(r.path)
		if who.link && link != "" {
			target += "?" + link
		}
		h.as(who, r, target, i).want(h, what, status)
		used = r.method == http.MethodPost && status < 300
		if after := h.version(conversation); after != before && !used {
			h.Errorf("%s: it was refused, and the conversation is of version %d after %d", what, after, before)
			used = true
		}
	}
}

func (h *house) version(conversation string) int64 {
	h.Helper()
	name, id, _ := strings.Cut(conversation, ".")
	s, err := h.archive.Get(h.Context(), name, id)
	h.must(err)
	return s.Conversation.Version
}

// as makes one call as the nth role. Of a stream only the beginning is heard.
func (h *house) as(who role, r route, target string, n int) answer {
	h.Helper()
	ctx, cancel := context.WithCancel(h.Context())
	defer cancel()
	body := r.body
	if who.service {
		body = r.desk
	}
	q, err := http.NewRequestWithContext(ctx, r.method, "http://"+h.address+target, strings.NewReader(body))
	h.must(err)
	if body == "" {
		q.Body = http.NoBody
	} else {
		q.Header.Set("Content-Type", "application/json")
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + who.token, "Cookie": who.cookie, "Sec-Fetch-Site": who.site, "Idempotency-Key": "key-" + strconv.Itoa(n),
		"X-Forwarded-For": "192.0.2." + strconv.Itoa(n),
	} {
		if value != "" && value != "Bearer " {
			q.Header.Set(name, value)
		}
	}
	if r.path == "/v1/events" {
		return h.listens(q)
	}
	return h.do(q)
}

// listens makes the call of a listener, and hangs up.
func (h *house) listens(q *http.Request) answer {
	h.Helper()
	got, err := http.DefaultClient.Do(q)
	h.must(err)
	got.Body.Close()
	return answer{status: got.StatusCode, header: got.Header}
}

// TestNoRouteIsForgotten: what the router knows is in the table and in the document,
// and the other way round. A route that is in neither must refuse every call.
func TestNoRouteIsForgotten(t *testing.T) {
	h := open(t)
	tried, described := map[string]bool{}, map[string]bool{}
	for _, r := range routesOfTheAPI() {
		path, _, _ := strings.Cut(r.path, "?")
		tried[r.method+" "+path] = true
	}
	operations(document(t), func(name string, _, _ object) { described[name] = true })
	routed := map[string]bool{}
	for _, r := range h.echo.Routes() {
		path := strings.NewReplacer(":conversation", "{conversation}", ":photo", "{photo}").Replace(r.Path)
		name := r.Method + " " + path
		if !strings.HasPrefix(path, "/v1/") || r.Method == "echo_route_not_found" {
			continue
		}
		routed[name] = true
		if tried[name] && described[name] {
			continue
		}
		if r.Method == http.MethodConnect {
			continue // no client sends it to a path
		}
		if a := h.refused(r.Method, r.Path); a != http.StatusMethodNotAllowed {
			t.Errorf("%s is answered %d; it is in the table: %v, and in openapi.yaml: %v", name, a, tried[name], described[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(described)) {
		if !routed[name] {
			t.Errorf("openapi.yaml describes %s, which is not there", name)
		}
	}
}

func (h *house) refused(method, path string) int {
	h.Helper()
	q, err := http.NewRequestWithContext(h.Context(), method, "http://"+h.address+path, nil)
	h.must(err)
	q.Header.Set("Authorization", "Bearer "+benToken)
	a, err := http.DefaultClient.Do(q)
	h.must(err)
	a.Body.Close()
	return a.StatusCode
}

// Package issuertest helps tests that need a real OpenID Connect issuer.
//
// It promises an issuer of the test's own, on loopback, with a key of its own and the
// users that the test names. It is the example server of zitadel/oidc, a certified
// OpenID Provider, of the version in .ci/servers.mod, in a process of its own; the
// first start on a machine builds it. Only tests import it.
package issuertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/subprocess"
)

// The client that the issuer knows.
const (
	ClientID     = "web"
	ClientSecret = "secret"
	// password is that of all users.
	password = "correct horse"
)

// User is somebody the issuer knows.
type User struct {
	// ID is the subject. Username is what they sign in with, and the claim
	// preferred_username; First and Last are the claim name.
	ID, Username, First, Last string
}

// Issuer is a running issuer.
type Issuer struct {
	t       testing.TB
	port    string
	users   string
	returns []string
	process *exec.Cmd
	ended   chan struct{}
	output  bytes.Buffer
}

// ownReturn is where codes go that a test redeems itself; nobody listens there.
const ownReturn = "http://127.0.0.1:1/return"

// Start starts an issuer that ends with the test. returns are the addresses to which
// it may send browsers back.
func Start(t testing.TB, users []User, returns ...string) *Issuer {
	t.Helper()
	i := New(t, users, returns...)
	i.Restart()
	return i
}

// New makes an issuer that does not run yet.
func New(t testing.TB, users []User, returns ...string) *Issuer {
	t.Helper()
	known := map[string]any{}
	for _, u := range users {
		known[u.ID] = map[string]any{"ID": u.ID, "Username": u.Username, "Password": password, "FirstName": u.First, "LastName": u.Last, "PreferredLanguage": "en"}
	}
	text, err := json.Marshal(known)
	if err != nil {
		t.Fatal(err)
	}
	i := &Issuer{t: t, port: freePort(t), users: filepath.Join(t.TempDir(), "users.json"), returns: append(returns, ownReturn)}
	if err := os.WriteFile(i.users, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Kill)
	return i
}

// Name is the issuer's name, as its tokens have it.
func (i *Issuer) Name() string { return "http://localhost:" + i.port + "/" }

// Config is how a gateway believes the issuer, with the same queues for everybody.
func (i *Issuer) Config(queues ...string) *config.OIDC {
	return &config.OIDC{Issuer: i.Name(), ClientID: ClientID, ClientSecret: config.NewSecret(ClientSecret), Queues: queues}
}

// Kill ends the issuer, which forgets its key. One that has ended stays so.
func (i *Issuer) Kill() {
	if i.process == nil {
		return
	}
	_ = i.process.Process.Kill()
	<-i.ended
	i.process = nil
}

// Restart starts the issuer, with a new key.
func (i *Issuer) Restart() {
	i.t.Helper()
	program, err := binary()
	if err != nil {
		i.t.Fatal(err)
	}
	i.process = exec.Command(program) //nolint:gosec,noctx // the test's own server; Kill ends it
	i.process.Env = []string{"PORT=" + i.port, "USERS_FILE=" + i.users, "REDIRECT_URI=" + strings.Join(i.returns, ",")}
	i.process.Stdout, i.process.Stderr = &i.output, &i.output
	i.ended = make(chan struct{})
	process, ended := i.process, i.ended
	if err := subprocess.Start(process, func() { _ = process.Wait(); close(ended) }); err != nil {
		i.process = nil
		i.t.Fatalf("start the issuer: %v", err)
	}
	gatewaytest.Await(i.t, "the issuer answers", func() bool {
		select {
		case <-i.ended:
			i.t.Fatalf("the issuer ended at its start: %s", i.output.String())
		default:
		}
		answer, err := http.Get(i.Name() + "healthz") //nolint:noctx // the test ends it
		if err != nil {
			return false
		}
		return answer.Body.Close() == nil
	})
}

// SignIn signs a user in on the issuer's page, to which an address of its leads, and
// returns where the issuer sends the browser back to.
func (i *Issuer) SignIn(address, username string) string {
	i.t.Helper()
	jar, _ := cookiejar.New(nil) // never fails
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	form := i.follow(client, address)
	u, err := url.Parse(form)
	if err != nil || u.Query().Get("authRequestID") == "" {
		i.t.Fatalf("the issuer shows no page to sign in on, but %s", form)
	}
	answer, err := client.PostForm(i.Name()+"login/username", url.Values{ //nolint:noctx // the test ends it
		"username": {username}, "password": {password}, "id": {u.Query().Get("authRequestID")},
	})
	if err != nil {
		i.t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	next, err := answer.Location()
	if err != nil {
		i.t.Fatalf("the issuer does not sign %s in: %d %s", username, answer.StatusCode, text)
	}
	return i.follow(client, next.String())
}

// follow goes to an address of the issuer's, and returns where that leads.
func (i *Issuer) follow(client *http.Client, address string) string {
	i.t.Helper()
	answer, err := client.Get(address) //nolint:noctx // the test ends it
	if err != nil {
		i.t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	next, err := answer.Location()
	if err != nil {
		i.t.Fatalf("%s leads nowhere: %d %s", address, answer.StatusCode, text)
	}
	return next.String()
}

// Token returns an ID token of a user's, made for ClientID.
func (i *Issuer) Token(username string) string {
	i.t.Helper()
	c := oauth2.Config{ClientID: ClientID, ClientSecret: ClientSecret, RedirectURL: ownReturn, Scopes: []string{"openid", "profile"},
		Endpoint: oauth2.Endpoint{AuthURL: i.Name() + "auth", TokenURL: i.Name() + "oauth/token"}}
	back, err := url.Parse(i.SignIn(c.AuthCodeURL("a state"), username))
	if err != nil {
		i.t.Fatal(err)
	}
	token, err := c.Exchange(i.t.Context(), back.Query().Get("code"))
	if err != nil {
		i.t.Fatal(err)
	}
	text, _ := token.Extra("id_token").(string)
	return text
}

// freePort returns a port that nobody listens at.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", ":0") //nolint:noctx,gosec // it is closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// binary finds the server, which Go keeps among what it has built.
//
// house: variable because the answer is the same for the whole process, and
// asking takes a second.
var binary = sync.OnceValues(func() (string, error) {
	gomod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "tool", "-modfile=.ci/servers.mod", "-n", "github.com/zitadel/oidc/v3/example/server")
	cmd.Dir = filepath.Dir(strings.TrimSpace(string(gomod)))
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("the issuer cannot be built: %w\n%s\ntry: go tool -modfile=.ci/servers.mod -n server", err, complaint.String())
	}
	return strings.TrimSpace(string(out)), nil
})

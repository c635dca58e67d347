package console_test

import (
	"testing"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

// TestBackFromTheIssuer: what did not work there is said, once, and the way there
// leads back to the page.
func TestBackFromTheIssuer(t *testing.T) {
	t.Parallel()
	g := consoletest.New(t, ben())
	p := blank(t, g)
	p.Go("/mine?sign_in=unauthenticated")
	p.AwaitText("#sign-in-wrong", "The sign-in did not work")
	p.AwaitText("#by-oidc", "login.example.com")
	if got := p.Eval(`document.querySelector('#by-oidc').getAttribute('href')`); got != "/v1/session/oidc?to=%2Fmine" {
		t.Errorf("the way to the issuer is %v", got)
	}
	if got := p.Eval(`location.search`); got != "" {
		t.Errorf("the address still says %v", got)
	}
}

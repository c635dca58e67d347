package twitter_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twitter"
	"github.com/lightlock/lightlock/connectors/twitter/twittersim"
)

// With OAuth 1.0a the address of the webhook is asked, signed and nothing else.
func TestFetchOAuth1(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	log := watch(p)
	if got, err := fetch(c, photo); err != nil || got != jpeg {
		t.Fatalf("got %q, %v, want the photo", got, err)
	}
	if got, want := strings.Join(log.calls(), "\n"), "GET "+strings.TrimPrefix(photo.Ref, "https://ton.twitter.com"); got != want {
		t.Errorf("got calls %q, want %q", got, want)
	}
	r := log.requests[0]
	if !strings.HasPrefix(r.Header.Get("Authorization"), "OAuth ") || len(r.Header["Authorization"]) != 1 || r.Header.Get("Accept-Encoding") != "" {
		t.Error("got another header than one OAuth signature and no encoding")
	}
	if want := `oauth_timestamp="1772366400"`; !strings.Contains(r.Header.Get("Authorization"), want) {
		t.Errorf("got a signature of another time than the clock's, want %s", want)
	}
}

// With OAuth 2.0 the API is asked, by the last three parts of the address. It
// says of no photo what type it has.
func TestFetchOAuth2(t *testing.T) {
	p, c := start(t, oauth2)
	photo := onePhoto(t, p, c)
	log := watch(p)
	if got, err := fetch(c, photo); err != nil || got != jpeg {
		t.Fatalf("got %q, %v, want the photo", got, err)
	}
	_, ids, _ := strings.Cut(photo.Ref, "/dm/")
	if got, want := strings.Join(log.calls(), "\n"), "GET /2/dm_conversations/media/"+ids; got != want {
		t.Errorf("got calls %q, want %q", got, want)
	}
	if got := log.requests[0].Header.Get("Authorization"); got != "Bearer "+p.OAuth2Token {
		t.Error("got another Authorization than the account's token")
	}
	if photo.ClaimedType != "" {
		t.Errorf("got claimed type %q, want none", photo.ClaimedType)
	}
}

// Behind a proxy it is still X that checks the signature, for its own address.
func TestFetchByProxy(t *testing.T) {
	for name, change := range both() {
		p, _ := start(t, change)
		c := with(t, p, func(s *twitter.Config) { s.APIBase = p.URL + "/egress/x/" })
		p.Wrap(func(h http.Handler) http.Handler { return http.StripPrefix("/egress/x", h) })
		if got, err := fetch(c, onePhoto(t, p, c)); err != nil || got != jpeg {
			t.Errorf("%s: got %q, %v, want the photo", name, got, err)
		}
		if _, err := send(c, to(t, p, c, "x")); err != nil {
			t.Errorf("%s: Send: %v", name, err)
		}
	}
}

func TestFetchAddresses(t *testing.T) {
	const ids = "1900000000000000001/1900000000000000002/AbCdEf12.jpg"
	for _, oauth := range []func(*twittersim.Platform){oauth2, func(*twittersim.Platform) {}} {
		p, c := start(t, oauth)
		p.Keep("1900000000000000001", "1900000000000000002", "AbCdEf12.jpg", []byte(jpeg))
		p.Keep("1", "2", "a_b-c.d.png", []byte(jpeg))
		for _, address := range []string{
			"https://ton.twitter.com/1.1/ton/data/dm/" + ids, "https://ton.twitter.com/i/ton/data/dm/" + ids,
			"https://ton.twitter.com/1.1/ton/data/dm/1/2/a_b-c.d.png",
		} {
			if got, err := fetch(c, connectors.Photo{Account: p.UserID, Ref: address}); err != nil || got != jpeg {
				t.Errorf("%s: got %q, %v, want the photo", address, got, err)
			}
		}
	}
}

// The newer host has a signature of its own: it is part of what is signed.
func TestFetchNewerHost(t *testing.T) {
	p, c := start(t, oauth2)
	p.Keep("1", "2", "a.jpg", []byte(jpeg))
	photo := connectors.Photo{Account: p.UserID, Ref: "https://ton.x.com/1.1/ton/data/dm/1/2/a.jpg"}
	if got, err := fetch(c, photo); err != nil || got != jpeg {
		t.Errorf("by OAuth 2.0: got %q, %v, want the photo", got, err)
	}
	p, c = start(t)
	p.Keep("1", "2", "a.jpg", []byte(jpeg))
	p.TonHost, photo.Account = "ton.x.com", p.UserID
	if got, err := fetch(c, photo); err != nil || got != jpeg {
		t.Errorf("by OAuth 1.0a: got %q, %v, want the photo", got, err)
	}
	photo.Ref = strings.Replace(photo.Ref, "ton.x.com", "ton.twitter.com", 1)
	wantKind(t, "a signature for another host", fetchError(c, photo), connectors.Misconfigured)
}

// Credentials go to two hosts, and to nothing on them but photos.
func TestFetchRefusesAddresses(t *testing.T) {
	for name, change := range map[string]func(*twittersim.Platform){"OAuth 1.0a": func(*twittersim.Platform) {}, "OAuth 2.0": oauth2} {
		p, c := start(t, change)
		log := watch(p)
		for _, address := range []string{
			strings.Replace(photoURL, "https://", "http://", 1), strings.Replace(photoURL, "https://", "HTTPS://", 1),
			strings.Replace(photoURL, "ton.twitter.com", "ton.twitter.com.evil.tld", 1), strings.Replace(photoURL, "ton.twitter.com", "evil.tld/ton.twitter.com", 1),
			strings.Replace(photoURL, "ton.twitter.com", "eviltwitter.com", 1), strings.Replace(photoURL, "ton.twitter.com", "ton-twitter.com", 1),
			strings.Replace(photoURL, "ton.twitter.com", "xton.twitter.com", 1), strings.Replace(photoURL, "ton.twitter.com", "x.ton.twitter.com", 1),
			strings.Replace(photoURL, "ton.twitter.com", "tonxtwitter.com", 1), strings.Replace(photoURL, "ton.twitter.com", "ton.twitter.com:444", 1),
			strings.Replace(photoURL, "ton.twitter.com", "ton.twitter.com:443", 1), strings.Replace(photoURL, "ton.twitter.com", "a:b@ton.twitter.com", 1),
			strings.Replace(photoURL, "ton.twitter.com", "ton.twitter.com@evil.tld", 1), strings.Replace(photoURL, "ton.twitter.com", "ton.twitter.com.", 1),
			strings.Replace(photoURL, "ton.twitter.com", "api.x.com", 1), strings.Replace(photoURL, "ton.twitter.com", "pbs.twimg.com", 1),
			strings.Replace(photoURL, "ton.twitter.com", "pbs.twimg.com.evil.tld", 1), strings.Replace(photoURL, "ton.twitter.com", "127.0.0.1", 1),
			strings.Replace(photoURL, "ton.twitter.com", `ton.twitter.com\.evil.tld`, 1), strings.Replace(photoURL, "ton.twitter.com", "ton.twitter.com%2eevil.tld", 1),
			photoURL + "?x=y", photoURL + "#x", photoURL + "/x", photoURL + "\n", photoURL + "%00", " " + photoURL, "x" + photoURL,
			strings.Replace(photoURL, "/1.1/", "/1.1/../1.1/", 1), strings.Replace(photoURL, "/1.1/", "//", 1), strings.Replace(photoURL, "/1.1/", "/2/", 1),
			strings.Replace(photoURL, "/AbCdEf12.jpg", "/..", 1), strings.Replace(photoURL, "/AbCdEf12.jpg", "/.jpg", 1), strings.Replace(photoURL, "/AbCdEf12.jpg", "/", 1),
			strings.Replace(photoURL, "/AbCdEf12.jpg", "/a%2Fb.jpg", 1), strings.Replace(photoURL, "1900000000000000002", "..", 1),
			strings.Replace(photoURL, "1900000000000000002", "19x", 1), strings.Replace(photoURL, "/data/dm/", "/data/gm/", 1),
			"https://ton.twitter.com/", "", "AbCdEf12.jpg",
		} {
			err := fetchError(c, connectors.Photo{Account: p.UserID, Ref: address})
			wantKind(t, name+" "+address, err, connectors.Refused)
		}
		if calls := log.calls(); len(calls) != 0 {
			t.Errorf("%s: got calls %q, want none", name, calls)
		}
	}
}

// ton.twitter.com sends a request that it does not believe to a page for logging
// in, and so do we believe none of its redirects.
func TestFetchRedirect(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	log := watch(p)
	for status := 300; status < 400; status++ {
		answers(p, status, http.Header{"Location": {p.URL + "/login"}}, "")
		wantKind(t, http.StatusText(status), fetchError(c, photo), connectors.Misconfigured)
	}
	if n := len(log.calls()); n != 0 {
		t.Errorf("got %d calls besides, want none: a redirect was followed", n)
	}
	// The API's redirects say nothing about tokens.
	p, c = start(t, oauth2)
	photo = onePhoto(t, p, c)
	answers(p, http.StatusFound, http.Header{"Location": {p.URL + "/login"}}, "")
	wantKind(t, "by OAuth 2.0", fetchError(c, photo), connectors.Unavailable)
}

// What the simulated platform does with what it does not believe.
func TestFetchWrongTokens(t *testing.T) {
	for name, change := range map[string]func(*twittersim.Platform){
		"token reissued": func(p *twittersim.Platform) { p.AccessToken += "x" }, "its secret": func(p *twittersim.Platform) { p.AccessTokenSecret += "x" },
		"consumer key": func(p *twittersim.Platform) { p.ConsumerKey += "x" }, "consumer secret": func(p *twittersim.Platform) { p.ConsumerSecret += "x" },
	} {
		p, c := start(t)
		photo := onePhoto(t, p, c)
		change(p)
		wantKind(t, name, fetchError(c, photo), connectors.Misconfigured)
	}
	p, c := start(t, oauth2)
	photo := onePhoto(t, p, c)
	p.OAuth2Token = "reissued"
	wantKind(t, "OAuth 2.0 token", fetchError(c, photo), connectors.Misconfigured)
}

// TestFetchStatus has what the suite leaves out for OAuth 1.0a.
func TestFetchStatus(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	for status, want := range map[int]connectors.ErrorKind{
		202: connectors.Unavailable, 206: connectors.Unavailable, 400: connectors.Refused, 401: connectors.Misconfigured, 403: connectors.Misconfigured,
		404: connectors.Gone, 408: connectors.Unavailable, 410: connectors.Gone, 429: connectors.Throttled,
		500: connectors.Unavailable, 502: connectors.Unavailable, 503: connectors.Unavailable, 504: connectors.Unavailable,
	} {
		answers(p, status, nil, "x")
		wantKind(t, http.StatusText(status), fetchError(c, photo), want)
	}
}

func TestFetchWaitsForReset(t *testing.T) {
	for _, change := range []func(*twittersim.Platform){oauth2, func(*twittersim.Platform) {}} {
		p, c := start(t, change)
		photo := onePhoto(t, p, c)
		answers(p, http.StatusTooManyRequests, http.Header{"X-Rate-Limit-Reset": {"1772366700"}}, "")
		if err := fetchError(c, photo); connectors.AfterOf(err) != 5*time.Minute {
			t.Errorf("got %v after %v, want 5 minutes", err, connectors.AfterOf(err))
		}
	}
}

// Every request has a nonce of its own, or X refuses the second.
func TestFetchAgain(t *testing.T) {
	p, c := start(t)
	photo := onePhoto(t, p, c)
	for range 3 {
		if got, err := fetch(c, photo); err != nil || got != jpeg {
			t.Fatalf("got %q, %v, want the photo each time", got, err)
		}
	}
}

func TestFetchGone(t *testing.T) {
	for _, change := range []func(*twittersim.Platform){oauth2, func(*twittersim.Platform) {}} {
		p, c := start(t, change)
		photo := onePhoto(t, p, c)
		photo.Ref = twittersim.MediaURL("another", "photo0")
		wantKind(t, "a photo that X has deleted", fetchError(c, photo), connectors.Gone)
	}
}

// By the X Activity API a photo comes in the same shape.
func TestFetchOfActivity(t *testing.T) {
	p, c := start(t, func(p *twittersim.Platform) { p.Activity = true })
	s := said("one")
	s.Text, s.Photos = "x", [][]byte{[]byte(jpeg), []byte(jpeg + "2")}
	events := heard(t, p, c, s, sim.Said{ID: "two", Consumer: "bob", Text: "y", At: now()})
	if len(events) != 3 || events[0].Text != "x" || events[2].Text != "y" {
		t.Fatalf("got %s, want three messages", toJSON(t, events))
	}
	if got, err := fetch(c, events[1].Photos[0]); err != nil || got != jpeg+"2" {
		t.Errorf("got %q, %v, want the second photo", got, err)
	}
}

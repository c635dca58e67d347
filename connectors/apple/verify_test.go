package apple_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/apple/applesim"
)

// vector is the token over {"aud":"msp-1","iat":1700000000} under the 32 bytes
// that secret stands for.
const vector = "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJtc3AtMSIsImlhdCI6MTcwMDAwMDAwMH0.e1OuhZP-FvbJrt6sTLN-R0jY4UCWDXxK9SYP2d870zA"

func at(seconds int64) time.Time { return time.Unix(iat+seconds, 0) }

func hello() []byte { return []byte(message("text", `,"body":"hello"`)) }

// verify verifies a call with this token, a minute after iat.
func verify(t *testing.T, token string) error {
	t.Helper()
	return connect(t, settings(), at(60)).Verify(post(token, hello()))
}

func TestVerifyVector(t *testing.T) {
	if err := verify(t, vector); err != nil {
		t.Errorf("the vector: %v", err)
	}
	// The same under the Base64 text itself, the classic mistake.
	text := vector[:strings.LastIndex(vector, ".")+1] + "k2P_UG8zaHe0RKiNADCSFmhI31nHUg0X4i9BOrLz8C8"
	wantKind(t, "the text of the secret as key", verify(t, text), connectors.Unauthentic)
	other := settings()
	other.Secret = config.Secrets{config.NewSecret(base64.StdEncoding.EncodeToString([]byte(secret)))}
	if err := connect(t, other, at(60)).Verify(post(text, hello())); err != nil {
		t.Errorf("the second vector under the key that it was made with: %v", err)
	}
	if got := token(applesim.Object{"aud": mspID, "iat": iat}); got != vector {
		t.Errorf("got %s from the simulated Apple, want the vector", got)
	}
}

func TestVerifyClaims(t *testing.T) {
	o := func(pairs ...any) applesim.Object {
		m := applesim.Object{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	}
	for _, row := range []struct {
		name   string
		claims applesim.Object
		ok     bool
	}{
		{"aud a text", o("aud", mspID, "iat", iat), true},
		{"aud a list", o("aud", []string{mspID}, "iat", iat), true},
		{"aud a list of several", o("aud", []string{"other", mspID}, "iat", iat), true},
		{"claims of no concern", o("aud", mspID, "iat", iat, "iss", 5, "jti", []int{1}, "sub", nil), true},
		{"not expired yet", o("aud", mspID, "iat", iat, "exp", iat+3600), true},
		{"aud of another provider", o("aud", "msp-2", "iat", iat), false},
		{"aud a list of others", o("aud", []string{"msp-2", "msp-3"}, "iat", iat), false},
		{"aud the business", o("aud", businessID, "iat", iat), false},
		{"aud a part of ours", o("aud", "msp", "iat", iat), false},
		{"aud in capitals", o("aud", "MSP-1", "iat", iat), false},
		{"aud a number", o("aud", 1, "iat", iat), false},
		{"aud an empty list", o("aud", []string{}, "iat", iat), false},
		{"no aud, but iss as in our own tokens", o("iss", mspID, "iat", iat), false},
		{"no aud", o("iat", iat), false},
		{"no iat", o("aud", mspID), false},
		{"iat a text", o("aud", mspID, "iat", "1700000000"), false},
		{"iat null", o("aud", mspID, "iat", nil), false},
		{"iat nothing", o("aud", mspID, "iat", 0), false},
		{"iat in milliseconds", o("aud", mspID, "iat", int64(iat)*1000), false},
		{"iat beyond all clocks", o("aud", mspID, "iat", 1e300), false},
		{"iat before all clocks", o("aud", mspID, "iat", -1e300), false},
		{"expired", o("aud", mspID, "iat", iat, "exp", iat-3600), false},
		{"not good yet", o("aud", mspID, "iat", iat, "nbf", iat+3600), false},
		{"nothing", o(), false},
	} {
		err := verify(t, token(row.claims))
		if row.ok && err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if !row.ok {
			wantKind(t, row.name, err, connectors.Unauthentic)
		}
	}
}

func TestVerifyAge(t *testing.T) {
	for _, row := range []struct {
		name string
		now  int64 // seconds after iat
		age  time.Duration
		ok   bool
	}{
		{"now", 0, 0, true},
		{"a clock ahead of ours", -300, 0, true},
		{"too far ahead", -301, 0, false},
		{"an hour old", 3600, 0, true},
		{"a second more", 3601, 0, false},
		{"two hours old", 7200, 0, false},
		{"two hours old where they may be three", 7200, 3 * time.Hour, true},
		{"ten minutes old where it may be that", 600, 10 * time.Minute, true},
		{"a second more", 601, 10 * time.Minute, false},
	} {
		s := settings()
		s.MaxTokenAge = config.Duration(row.age)
		err := connect(t, s, at(row.now)).Verify(post(good(), hello()))
		if row.ok && err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if !row.ok {
			wantKind(t, row.name, err, connectors.Unauthentic)
		}
	}
}

func TestVerifyTokens(t *testing.T) {
	claims := applesim.Object{"aud": mspID, "iat": iat}
	sign := func(alg any) string { return applesim.SignToken(applesim.Object{"alg": alg}, claims, key()) }
	unsigned := sign("none")
	parts := strings.Split(vector, ".")
	for name, token := range map[string]string{
		"alg none":                  unsigned[:strings.LastIndex(unsigned, ".")+1],
		"alg none with a signature": unsigned,
		"alg NONE":                  sign("NONE"),
		"alg HS512":                 sign("HS512"),
		"alg HS384":                 sign("HS384"),
		"alg RS256":                 sign("RS256"),
		"alg ES256":                 sign("ES256"),
		"alg in small letters":      sign("hs256"),
		"alg a list":                sign([]string{"HS256"}),
		"no alg":                    applesim.SignToken(applesim.Object{"typ": "JWT"}, claims, key()),
		"an empty key":              applesim.SignToken(applesim.Object{"alg": "HS256"}, claims, nil),
		"another key":               applesim.SignToken(applesim.Object{"alg": "HS256"}, claims, []byte("0123456789abcdef0123456789abcdee")),
		"two parts":                 parts[0] + "." + parts[1],
		"four parts":                vector + "." + parts[2],
		"parts exchanged":           parts[1] + "." + parts[0] + "." + parts[2],
		"no signature":              parts[0] + "." + parts[1] + ".",
		"a padded signature":        vector + "=",
		"spare bits set":            strings.TrimSuffix(vector, "A") + "B",
		"a line break in it":        parts[0] + ".\n" + parts[1] + "." + parts[2],
		"the other Base64":          parts[0] + "." + parts[1] + "." + strings.ReplaceAll(parts[2], "-", "+"),
		"empty":                     "",
	} {
		wantKind(t, name, verify(t, token), connectors.Unauthentic)
	}
}

// Other methods are refused although their signatures are right.
func TestVerifyMethods(t *testing.T) {
	claims := jwt.MapClaims{"aud": mspID, "iat": iat}
	for _, row := range []struct {
		method jwt.SigningMethod
		key    any
	}{
		{jwt.SigningMethodHS384, key()}, {jwt.SigningMethodHS512, key()}, {jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType},
	} {
		token, err := jwt.NewWithClaims(row.method, claims).SignedString(row.key)
		if err != nil {
			t.Fatal(err)
		}
		wantKind(t, row.method.Alg(), verify(t, token), connectors.Unauthentic)
	}
}

func TestVerifyScheme(t *testing.T) {
	for _, header := range []string{
		vector, "bearer " + vector, "BEARER " + vector, "Basic " + vector, "Bearer" + vector, "Bearer  " + vector, " Bearer " + vector,
		"Bearer " + vector + " ", "Bearer\t" + vector, "Bearer " + vector + ", Bearer " + vector, "Token " + vector,
	} {
		r := post(vector, hello())
		r.Header["Authorization"] = []string{header}
		wantKind(t, "Authorization "+header[:7], connect(t, settings(), at(60)).Verify(r), connectors.Unauthentic)
	}
}

// The token covers neither body nor headers, so they have to agree.
func TestVerifyIDs(t *testing.T) {
	c := connect(t, settings(), at(60))
	change := func(name string, values ...string) *connectors.Request {
		r := post(vector, hello())
		r.Header[name] = values
		return r
	}
	for _, row := range []struct {
		name string
		r    *connectors.Request
		ok   bool
	}{
		{"id in capitals", change("Id", strings.ToUpper(messageID)), true},
		{"destination-id as in the Messages app", change("Destination-Id", "urn:biz:"+businessID), true},
		{"another id", change("Id", "7d0c6c1e-4b1f-4c0e-9f0a-3a1d5c9b2e78"), false},
		{"another source-id", change("Source-Id", userID+"x"), false},
		{"source-id in capitals", change("Source-Id", strings.ToUpper(userID)), false},
		{"source-id and destination-id exchanged", change("Source-Id", businessID), false},
		{"another destination-id", change("Destination-Id", "3f6a1d20-9b7e-4c55-8d1c-0a4a2b6f7e12"), false},
		{"no id", change("Id"), false},
		{"no source-id", change("Source-Id"), false},
		{"no destination-id", change("Destination-Id"), false},
		{"an empty id", change("Id", ""), false},
		{"two ids", change("Id", messageID, messageID), false},
		{"two source-ids", change("Source-Id", userID, "x"), false},
		{"two destination-ids", change("Destination-Id", businessID, "x"), false},
	} {
		err := c.Verify(row.r)
		if row.ok && err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if !row.ok {
			wantKind(t, row.name, err, connectors.Unauthentic)
			wantQuiet(t, row.name, err, userID, messageID, businessID, vector)
		}
	}
}

func TestVerifyBodyIDs(t *testing.T) {
	c := connect(t, settings(), at(60))
	for name, body := range map[string]string{
		"no id":                `{"sourceId":"` + userID + `","destinationId":"` + businessID + `"}`,
		"no sourceId":          `{"id":"` + messageID + `","destinationId":"` + businessID + `"}`,
		"no destinationId":     `{"id":"` + messageID + `","sourceId":"` + userID + `"}`,
		"an id that is a list": `{"id":["` + messageID + `"],"sourceId":"` + userID + `","destinationId":"` + businessID + `"}`,
		"the last id counts":   `{"id":"` + messageID + `","id":"x","sourceId":"` + userID + `","destinationId":"` + businessID + `"}`,
		"nothing":              ``, "null": `null`, "a list": `[` + string(hello()) + `]`, "two messages": string(hello()) + string(hello()),
		"cut": string(hello()[:80]), "not JSON": `id=` + messageID,
	} {
		r := post(vector, hello())
		r.Body = []byte(body)
		wantKind(t, name, c.Verify(r), connectors.Unauthentic)
	}
}

// A body that is cut anywhere can no longer be read, so it does not verify even
// though nothing signs it. A byte behind it is refused where it is compressed.
func TestVerifyCutBody(t *testing.T) {
	c := connect(t, settings(), at(60))
	for name, body := range map[string][]byte{"plain": hello(), "compressed": applesim.Gzip(hello())} {
		for i := range body {
			r := post(vector, body)
			r.Body = body[:i]
			wantKind(t, name, c.Verify(r), connectors.Unauthentic)
		}
	}
	for _, tail := range []string{" ", "\x00", "x", "\x1f\x8b"} {
		r := post(vector, applesim.Gzip(hello()))
		r.Body = append(r.Body, tail...)
		wantKind(t, "compressed with a tail", c.Verify(r), connectors.Unauthentic)
	}
}

func TestVerifyCompression(t *testing.T) {
	c := connect(t, settings(), at(60))
	packed := applesim.Gzip(hello())
	half := len(hello()) / 2
	for _, row := range []struct {
		name, encoding string
		body           []byte
	}{
		{"compressed", "gzip", packed},
		{"compressed without a word of it", "", packed},
		{"compressed and called so oddly", "x-gzip", packed},
		{"unpacked on the way, the header forgotten", "gzip", hello()},
		{"plain", "", hello()},
		{"plain with blanks around it", "", []byte(" \r\n" + string(hello()) + "\n")},
		{"of two members", "gzip", append(applesim.Gzip(hello()[:half]), applesim.Gzip(hello()[half:])...)},
		{"of many members", "gzip", append(bytes.Repeat(applesim.Gzip(nil), 1000), packed...)},
	} {
		r := post(vector, row.body)
		r.Header, r.Body = post(vector, hello()).Header, row.body
		if row.encoding != "" {
			r.Header.Set("Content-Encoding", row.encoding)
		}
		if err := c.Verify(r); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		events, err := c.Parse(r)
		if err != nil || len(events) != 1 || events[0].Text != "hello" {
			t.Errorf("%s: got %s, %v, want the message", row.name, toJSON(t, events), err)
		}
	}
}

// bombs unfold beyond all limits, or are none.
func bombs() map[string][]byte {
	blanks := bytes.Repeat([]byte(" "), 11<<20)
	packed := applesim.Gzip(hello())
	pieces := append(bytes.Clone(packed), bytes.Repeat(applesim.Gzip(blanks[:1<<20]), 11)...)
	broken := bytes.Clone(packed)
	broken[len(broken)-6] ^= 1 // in the check sum
	return map[string][]byte{
		"a bomb":                          applesim.Gzip(append(hello(), blanks...)),
		"a bomb in pieces":                pieces,
		"a bomb in an envelope":           applesim.Gzip(pieces),
		"compressed twice":                applesim.Gzip(packed),
		"a wrong check sum":               broken,
		"the first two bytes and no more": {0x1f, 0x8b},
		"a header and noise":              append(bytes.Clone(packed[:10]), "noise"...),
		"only empty members":              bytes.Repeat(applesim.Gzip(nil), 10_000),
	}
}

func TestVerifyBombs(t *testing.T) {
	c := connect(t, settings(), at(60))
	for name, body := range bombs() {
		r := post(vector, hello())
		r.Body = body
		wantKind(t, name, c.Verify(r), connectors.Unauthentic)
		_, err := c.Parse(r)
		wantKind(t, name+", parsed", err, connectors.Malformed)
	}
}

// However much a body would unfold into, little of it is ever held.
func TestVerifyBombMemory(t *testing.T) {
	c := connect(t, settings(), at(60))
	r := post(vector, hello())
	r.Body = bytes.Repeat(applesim.Gzip(make([]byte, 1<<20)), 512)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	wantKind(t, "half a gigabyte", c.Verify(r), connectors.Unauthentic)
	runtime.ReadMemStats(&after)
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(128<<20); got > most {
		t.Errorf("got %d bytes allocated, want at most %d", got, most)
	}
}

// Ten megabytes pass, compressed or not, and one byte more does not.
func TestVerifyLongBody(t *testing.T) {
	c := connect(t, settings(), at(60))
	blanks := (10 << 20) - len(hello())
	body := append(hello(), bytes.Repeat([]byte(" "), blanks)...)
	for name, b := range map[string][]byte{"plain": body, "compressed": applesim.Gzip(body)} {
		r := post(vector, hello())
		r.Body = b
		if err := c.Verify(r); err != nil {
			t.Errorf("%s, of 10 MB: %v", name, err)
		}
	}
	r := post(vector, hello())
	r.Body = applesim.Gzip(append(body, ' '))
	wantKind(t, "compressed, of 10 MB and a byte", c.Verify(r), connectors.Unauthentic)
}

// No secret, no proof: a forger knows an empty key as well as we do.
func TestVerifyWithoutSecret(t *testing.T) {
	forged := applesim.SignToken(applesim.Object{"alg": "HS256"}, applesim.Object{"aud": mspID, "iat": iat}, nil)
	for name, list := range map[string]config.Secrets{"none": nil, "an empty one": {config.Secret{}}, "line breaks": {config.NewSecret("\n")}} {
		s := settings()
		s.Secret = list
		c := connect(t, s, at(60))
		for _, token := range []string{forged, vector} {
			wantKind(t, name, c.Verify(post(token, hello())), connectors.Unauthentic)
		}
		_, err := c.Send(t.Context(), connectors.Outgoing{Account: businessID, Consumer: userID, Key: messageID, Text: "x"})
		wantKind(t, name+", sending", err, connectors.Misconfigured)
	}
}

func TestVerifyRotation(t *testing.T) {
	s := settings()
	s.Secret = config.Secrets{config.NewSecret("bmV3IHNlY3JldCBvZiAzMiBieXRlcywgbW9yZSBvciBsZXNz"), config.NewSecret(secret)}
	c := connect(t, s, at(60))
	newer := applesim.SignToken(applesim.Object{"alg": "HS256"}, applesim.Object{"aud": mspID, "iat": iat}, []byte("new secret of 32 bytes, more or less"))
	for _, token := range []string{vector, newer} {
		if err := c.Verify(post(token, hello())); err != nil {
			t.Errorf("one of two secrets: %v", err)
		}
	}
	wantKind(t, "before the change", verify(t, newer), connectors.Unauthentic)
}

func TestVerifyHeaderCase(t *testing.T) {
	r := post(vector, hello())
	r.Header = http.Header{"authorization": {"Bearer " + vector}, "id": {messageID}, "SOURCE-ID": {userID}, "destination-id": {businessID}}
	if err := connect(t, settings(), at(60)).Verify(r); err != nil {
		t.Errorf("headers as they come: %v", err)
	}
}

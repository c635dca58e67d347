package twilio

import (
	"encoding/base64"
	"net/url"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

// The published vectors have no AccountSid, so they are tried below Verify.
const (
	vectorToken = "12345"
	vectorURL   = "https://mycompany.com/myapp.php?foo=1&bar=2"
	portURL     = "https://mycompany.com:1234/myapp.php?foo=1&bar=2"
	httpURL     = "http://mycompany.com/myapp.php?foo=1&bar=2"
	bodyHash    = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
)

func vectorForm() url.Values {
	return url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"},
		"From": {"+14158675309"}, "To": {"+18005551212"},
	}
}

// trapForm has two names of which one begins with the other.
func trapForm() url.Values {
	form := vectorForm()
	form.Set("Reason", "Participant")
	form.Set("ReasonConferenceEnded", "test")
	return form
}

// TestPublishedVectors has the vectors of Twilio's libraries for Python and Go.
func TestPublishedVectors(t *testing.T) {
	for _, row := range []struct {
		name, address string
		form          url.Values
		signature     string
		want          bool
	}{
		{"without port", vectorURL, vectorForm(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		{"with :443 where the address has none", vectorURL, vectorForm(), "kvajT1Ptam85bY51eRf/AJRuM3w=", true},
		{"without port where the address has one", portURL, vectorForm(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		{"with :443 where the address has another", portURL, vectorForm(), "kvajT1Ptam85bY51eRf/AJRuM3w=", false},
		{"JSON, address only", vectorURL + "&bodySHA256=" + bodyHash, nil, "a9nBmqA0ju/hNViExpshrM61xv4=", true},
		{"names that begin alike", vectorURL, trapForm(), "vOEb5UThFn24KEfnOFLQY2AE5FY=", true},
		{"names that begin alike, pairs sorted as one text", vectorURL, trapForm(), "95+Bu0JVPi0r/SsESZCVf0dWAjw=", false},
		{"http", httpURL, trapForm(), "n2xBNyzSW7rfYStDtOFiFMv7qNo=", true},
		{"http signed, https called", vectorURL, trapForm(), "n2xBNyzSW7rfYStDtOFiFMv7qNo=", false},
	} {
		mac, err := base64.StdEncoding.DecodeString(row.signature)
		if err != nil {
			t.Fatal(err)
		}
		tokens := config.Secrets{config.NewSecret(vectorToken)}
		if got := authentic(tokens, row.address, row.form, mac); got != row.want {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
}

func TestSignedBytes(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"nothing", "", "U"},
		{"bytes, not letters, are sorted", "b=1&B=2&a=3&_=4&%C3%A9=5&z=6", "UB2_4a3b1z6\u00e95"},
		{"empty values", "B=&A=&C", "UABC"},
		{"nothing is trimmed", "A=+x%0D%0A+&B=%09", "UA x\r\n B\t"},
		{"plus and its escape", "A=1+1%2B1", "UA1 1+1"},
		{"emoji", "Body=%F0%9F%93%B7", "UBody\U0001F4F7"},
		{"a repeated name: each value once, sorted", "A=2&A=1&A=2&A=10", "UA1A10A2"},
	} {
		form, err := url.ParseQuery(row.body)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(signed("U", form)); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, row := range []struct{ address, with, without string }{
		{"https://a.example/x", "https://a.example:443/x", "https://a.example/x"},
		{"http://a.example/x", "http://a.example:80/x", "http://a.example/x"},
		{"https://a.example:8443/x?y=1", "https://a.example:8443/x?y=1", "https://a.example/x?y=1"},
		{"https://a.example", "https://a.example:443", "https://a.example"},
		{"https://a.example?x=a:1/b@c", "https://a.example:443?x=a:1/b@c", "https://a.example?x=a:1/b@c"},
		{"https://a.example#x:1", "https://a.example:443#x:1", "https://a.example#x:1"},
		{"https://[2001:db8::1]/x", "https://[2001:db8::1]:443/x", "https://[2001:db8::1]/x"},
		{"https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x", "https://[2001:db8::1]/x"},
		{"https://u:pw@a.example/x", "https://u:pw@a.example:443/x", "https://u:pw@a.example/x"},
		{"https://u:pw@a.example:8443/x", "https://u:pw@a.example:8443/x", "https://u:pw@a.example/x"},
		// Nothing is escaped, unescaped or made tidy.
		{"https://A.Example/a|b/../%7e//?q={}&+%20", "https://A.Example:443/a|b/../%7e//?q={}&+%20", "https://A.Example/a|b/../%7e//?q={}&+%20"},
		{"https://a.example:/x", "https://a.example::443/x", "https://a.example:/x"},
		{"not an address", "not an address", "not an address"},
		{"", "", ""},
	} {
		if got, want := addresses(row.address), [2]string{row.with, row.without}; got != want {
			t.Errorf("addresses(%q): got %q, want %q", row.address, got, want)
		}
	}
}

// FuzzAddresses looks for an address that is lost or changed: as it is written,
// it is always one of the two.
func FuzzAddresses(f *testing.F) {
	for _, seed := range []string{vectorURL, portURL, "https://[::1]:1/", "https://u:p@h/?a:1", "://", "a://:", "https://]:@:[", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		got := addresses(address)
		if got[0] != address && got[1] != address {
			t.Errorf("got %q, want %q among them", got, address)
		}
		if again := addresses(address); again != got {
			t.Errorf("got %q, then %q", got, again)
		}
		if len(got[0]) < len(got[1]) {
			t.Errorf("got %q with a port and %q without", got[0], got[1])
		}
	})
}

// TestHosts checks who may be called and who may see credentials, without
// settings of either.
func TestHosts(t *testing.T) {
	made, err := New(&Config{}, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	c := made.(*Connector)
	for _, row := range []struct {
		address    string
		call, show bool
	}{
		{"https://api.twilio.com/x", true, true},
		{"https://API.twilio.com:443/x", true, true},
		{"https://mms.twiliocdn.com/x", true, false},
		{"https://media.twiliocdn.com/x", true, false},
		{"https://s3-external-1.amazonaws.com/x", true, false},
		{"https://twiliocdn.com/x", false, false},
		{"https://eviltwiliocdn.com/x", false, false},
		{"https://mms.twiliocdn.com.evil.example/x", false, false},
		{"https://bucket.s3-external-1.amazonaws.com/x", false, false},
		{"https://s3.amazonaws.com/x", false, false},
		{"https://api.twilio.com.evil.example/x", false, false},
		{"https://api.twilio.com:8443/x", false, false},
		{"https://www.twilio.com/x", false, false},
	} {
		u, err := url.Parse(row.address)
		if err != nil {
			t.Fatal(err)
		}
		if call, show := c.hosts(u), c.api.Host(u); call != row.call || show != row.show {
			t.Errorf("%s: got call %v, credentials %v; want %v, %v", row.address, call, show, row.call, row.show)
		}
	}
}

package apple

import (
	"net/url"
	"testing"

	"github.com/lightlock/lightlock/connectors/wire"
)

// By default photos come from the hosts that iCloud and Apple are known to use.
// This test is inside the package, because from outside it would take a call to
// one of them.
func TestDefaultMediaHosts(t *testing.T) {
	hosts := wire.HostList((&Config{}).mediaHosts()...)
	for address, want := range map[string]bool{
		"https://cvws.icloud-content.com/B/x?a=b": true, "https://p53-content.icloud.com/x": true, "https://mmcs.push.apple.com/x": true, "https://CVWS.iCloud-Content.com/": true,
		"https://icloud-content.com/": false, "https://icloud.com/": false, "https://apple.com/": false,
		"https://cvws.icloud-content.com:8443/": false, "https://cvws.icloud-content.com.example/": false, "https://evilicloud-content.com/": false,
		"https://icloud-content.com.example/": false, "https://apple.com@h.example/": false, "https://h.example/.apple.com": false, "https://xn--pple-43d.com/": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := hosts(u); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
	own := (&Config{MediaHosts: []string{"content.example"}}).mediaHosts()
	if len(own) != 1 || own[0] != "content.example" {
		t.Errorf("got %q, want the configured host alone", own)
	}
}

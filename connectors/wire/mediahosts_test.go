package wire

import "testing"

func TestCheckHosts(t *testing.T) {
	for host, good := range map[string]bool{
		"media.example.com": true, ".example.com": true, "127.0.0.1:4000": true, "localhost": true,
		"": false, ".com": false, "Media.example.com": false, "https://media.example.com": false, "*.example.com": false, "a.example.com/x": false, "a..example": false,
	} {
		found := CheckHosts([]string{"good.example", host})
		if (len(found) == 0) != good {
			t.Errorf("%q: got %+v, want good %t", host, found, good)
		}
		if !good && found[0].Path != "media_hosts[1]" {
			t.Errorf("%q: got path %s, want that of the second", host, found[0].Path)
		}
	}
}

package wire

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/lightlock/lightlock/connectors"
)

func TestDialerRefusesAllButPublicAddresses(t *testing.T) {
	rows := []struct {
		address string
		want    bool // may be dialled
	}{
		{"93.184.215.14", true}, {"8.8.8.8", true}, {"2606:2800:21f:cb07:6820:80da:af6b:8b2c", true},
		{"2a03:2880:f10e:83:face:b00c:0:25de", true},
		{"0.0.0.0", false}, {"0.1.2.3", false}, {"127.0.0.1", false}, {"127.255.255.254", false},
		{"10.0.0.1", false}, {"172.16.0.1", false}, {"172.31.255.255", false}, {"192.168.1.1", false},
		{"169.254.169.254", false}, {"169.254.170.2", false}, {"100.64.0.1", false}, {"100.100.100.200", false},
		{"192.0.0.192", false}, {"192.0.2.1", false}, {"198.18.0.1", false}, {"198.51.100.1", false},
		{"203.0.113.1", false}, {"192.88.99.1", false}, {"224.0.0.1", false}, {"239.255.255.250", false},
		{"240.0.0.1", false}, {"255.255.255.255", false},
		{"::", false}, {"::1", false}, {"::127.0.0.1", false}, {"fe80::1", false}, {"fe80::1%eth0", false},
		{"2606:2800::1%eth0", false}, {"fec0::1", false}, {"fc00::1", false}, {"fd00:ec2::254", false},
		{"ff02::1", false}, {"::ffff:127.0.0.1", false}, {"::ffff:169.254.169.254", false},
		{"::ffff:0:127.0.0.1", false}, {"64:ff9b::7f00:1", false}, {"64:ff9b:1::7f00:1", false},
		{"2002:7f00:1::1", false}, {"2001:0:4136:e378:8000:63bf:3fff:fdd2", false}, {"2001:db8::1", false},
		{"2001:10::1", false}, {"3fff::1", false}, {"100::1", false}, {"5f00::1", false}, {"4000::1", false},
		{"2606:2800::5efe:7f00:1", false}, {"2606:2800::200:5efe:127.0.0.1", false},
		{"2606:2800::5efe:8.8.8.8", false}, {"2606:2800::100:5efe:8.8.8.8", true},
	}
	control := newDialer(0, false).Control
	for _, row := range rows {
		network := "tcp6"
		if netip.MustParseAddr(row.address).Is4() {
			network = "tcp4"
		}
		err := control(network, net.JoinHostPort(row.address, "443"), nil)
		if got := err == nil; got != row.want {
			t.Errorf("%s: got %v, want allowed %t", row.address, err, row.want)
		}
	}
	for _, address := range []string{"", "127.0.0.1", "localhost:443", "8.8.8.8:http"} {
		if err := control("tcp4", address, nil); err == nil {
			t.Errorf("%q, which cannot be judged: got consent", address)
		}
	}
	if err := control("udp4", "8.8.8.8:443", nil); err == nil {
		t.Error("udp: got consent")
	}
}

// counter is a listener that counts connections.
func counter(t *testing.T, network, address string) (port string, count *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Skipf("cannot listen on %s: %v", address, err)
	}
	count = new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	_, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, count
}

// names is a DNS server that gives its answers one after the other and repeats
// the last one.
type names struct {
	mu      sync.Mutex
	answers []netip.Addr
}

func (n *names) next() netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	answer := n.answers[0]
	if len(n.answers) > 1 {
		n.answers = n.answers[1:]
	}
	return answer
}

// reply answers one query. Each name has one address, of one family.
func (n *names) reply(query []byte) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(query); err != nil {
		return nil, err
	}
	message.Response, message.Additionals = true, nil
	question := message.Questions[0]
	header := dnsmessage.ResourceHeader{Name: question.Name, Class: question.Class, TTL: 0}
	switch question.Type {
	case dnsmessage.TypeA:
		if addr := n.next(); addr.Is4() {
			message.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}}}
		}
	case dnsmessage.TypeAAAA:
		n.mu.Lock()
		addr := n.answers[0]
		n.mu.Unlock()
		if addr.Is6() {
			message.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}}
		}
	}
	return message.Pack()
}

// resolver starts a DNS server with these answers and returns a way to ask it.
func resolver(t *testing.T, answers ...string) *net.Resolver {
	t.Helper()
	n := &names{}
	for _, answer := range answers {
		n.answers = append(n.answers, netip.MustParseAddr(answer))
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for buffer := make([]byte, 1500); ; {
			size, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if reply, err := n.reply(buffer[:size]); err == nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// TestAddressIsJudgedWhenItIsDialled is the rebinding attack: the name is
// harmless whenever somebody checks it, and leads inside when it is called.
func TestAddressIsJudgedWhenItIsDialled(t *testing.T) {
	const name = "rebind.example.com"
	port, count := counter(t, "tcp4", "127.0.0.1:0")
	for _, allow := range []bool{false, true} {
		t.Run(fmt.Sprintf("private allowed %t", allow), func(t *testing.T) {
			count.Store(0)
			client := NewClient(Options{AllowPrivate: allow})
			client.dialer.Resolver = resolver(t, "93.184.215.14", "127.0.0.1")
			first, err := client.dialer.Resolver.LookupNetIP(t.Context(), "ip4", name+".")
			if err != nil || len(first) != 1 || first[0].String() != "93.184.215.14" {
				t.Fatalf("first answer: got %v, %v, want the public address", first, err)
			}
			_, err = fetchAll(t.Context(), client, Fetch{
				URL: "https://" + name + ":" + port + "/photo", Hosts: HostList(name + ":" + port),
			})
			if allow { // shows that the listener would have been reached
				wantKind(t, err, connectors.Unavailable)
				if count.Load() != 1 {
					t.Errorf("got %d connections, want 1", count.Load())
				}
				return
			}
			wantKind(t, err, connectors.Refused)
			if want := testOp + ": refused: " + name + ":" + port + ": private address"; err.Error() != want {
				t.Errorf("got %q, want %q", err, want)
			}
			if count.Load() != 0 {
				t.Errorf("got %d connections, want none", count.Load())
			}
		})
	}
}

func TestNamesOfPrivateAddressesAreRefused(t *testing.T) {
	for _, address := range []string{
		"127.0.0.1", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1", "169.254.169.254", "10.1.2.3",
		"fd00::1", "2606:2800::5efe:7f00:1", "64:ff9b::7f00:1",
	} {
		t.Run(address, func(t *testing.T) {
			client := NewClient(Options{})
			client.dialer.Resolver = resolver(t, address)
			_, err := fetchAll(t.Context(), client, Fetch{URL: "https://inside.example.com/"})
			wantKind(t, err, connectors.Refused)
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://inside.example.com/", nil)
			_, err = client.Call(t.Context(), "test: call", req, 10)
			wantKind(t, err, connectors.Refused)
		})
	}
}

func TestAddressesOfTheWrongFormAreRefusedUnasked(t *testing.T) {
	client := NewClient(Options{})
	client.dialer.Resolver = resolver(t, "127.0.0.1")
	client.dialer.Control = nil // so that only the address itself is judged
	for _, address := range []string{
		"https://127.0.0.1/", "https://127.0.0.1./", "https://127.1/", "https://2130706433/", "https://0x7f000001/",
		"https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://1.0x7f/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
		"https://[fe80::1%25eth0]/", "https://8.8.8.8/", "https://%31%32%37.0.0.1/", "https://①②⑦.0.0.1/",
		"https://127。0。0。1/", "https://ｅxample.com/", "https://bücher.example/", "https://a..example.com/",
		"http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/",
		"/etc/passwd", "", "https:", "https:///", "https:example.com", "https://user@example.com/",
		"https://user:pass@example.com/", "https://@example.com/", "https://example.com:80/", "https://example.com:8443/",
		"https://example.com:0443/", "https://example.com:99999/", "https://exa mple.com/", "https://example.com%00.a.test/",
		"https://example.com:x/", "https://[::1/", "https://.example.com/", "https://localhost:22/",
	} {
		_, err := fetchAll(t.Context(), client, Fetch{URL: address})
		if connectors.KindOf(err) != connectors.Refused {
			t.Errorf("%q: got %v, want a refusal", address, err)
		}
	}
}

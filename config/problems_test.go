package config

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// refusal is a file with one mistake, and the problem's first line.
type refusal struct{ text, want string }

func TestGatewayShapes(t *testing.T) {
	wantEach(t, []refusal{
		{"lsten: a", `1:1: unknown key "lsten"`},
		{"1: a", `1:1: unknown key "1"`},
		{"data: a\ndata: b", `2:1: the key "data" is there twice`},
		{"data:", `1:1: data: nothing stands behind the key`},
		{"data: ''", `1:7: data: must not be empty`},
		{"data: [a]", `1:7: data: wanted a text, got a list`},
		{"data:\n  a: b", `1:1: data: wanted a text, got keys and values`},
		{"data: true", `1:7: data: wanted a text, got true`},
		{"data: ${HOME}", `1:7: data: a variable stands where no secret does`},
		{"data: &x a", `1:7: data: an anchor (&) is not read here`},
		{"data: *x", `1:7: data: an alias (*) is not read here`},
		{"data: !!str a", `1:7: data: a tag (!) is not read here`},
		{"<<: {data: a}", `1:1: the merge key << is not read here`},
		{"- a", `1:1: the file is not made of keys and values`},
		{"just text", `1:1: the file is not made of keys and values`},
		{"data: a\n---\ndata: b", `3:1: a second document in one file`},
		{"data: a: b", `1:7: not YAML: mapping value is not allowed in this context`},
	})
}

func TestGatewayLimits(t *testing.T) {
	wantEach(t, []refusal{
		{"work:\n  slotz: 1", `2:3: unknown key "slotz"`},
		{"work: 4", `1:7: work: wanted keys and values, got the number 4`},
		{"work: {slots: 1.5}", `1:15: work.slots: wanted a whole number, got the number 1.5`},
		{"work: {slots: 0x10}", `1:15: work.slots: wanted a whole number, got the number 0x10`},
		{"work: {slots: 0}", `1:15: work.slots: too small, wanted at least 1 and at most 1024`},
		{"work: {slots: 9999}", `1:15: work.slots: too large, wanted at least 1 and at most 1024`},
		{"work: {slots: 99999999999999999999}", `1:15: work.slots: wanted a whole number, got a number beyond all measure`},
		{"work: {lease: 30}", `1:15: work.lease: "30" has no unit`},
		{"work: {lease: 10 parsecs}", `1:15: work.lease: "10 parsecs" has a unit that is not known here`},
		{"work: {lease: true}", `1:15: work.lease: wanted a time, got true`},
		{"work: {lease: 2h}", `1:15: work.lease: too large, wanted at least 100ms and at most 1h`},
		{"work: {lease: -1s}", `1:15: work.lease: too small, wanted at least 100ms and at most 1h`},
		{"work: {retry_min: 20m}", `1:19: work.retry_min: 20m is longer than retry_max, 15m`},
		{"photos: {max_bytes: 10}", `1:21: photos.max_bytes: "10" has no unit`},
		{"photos: {max_bytes: 10 MiB}", `1:21: photos.max_bytes: "10 MiB" has a unit that is not known here`},
		{"photos: {max_bytes: 122 MB}", `1:21: photos.max_bytes: photos of 122 MB need photos.memory of at least 514 MB`},
		{"photos: {memory: 915 MB, max_bytes: 256 MB}", `1:37: photos.max_bytes: photos of 256 MB need photos.memory of at least 916 MB`},
		{"photos: {memory: 223 MB}", `1:18: photos.memory: too small, wanted at least 224 MB and at most 1024 GB`},
		{"photos: {keep: 23h}", `1:16: photos.keep: too small, wanted at least 24h and at most 87600h`},
		{"photos: {keep: 0}", `1:16: photos.keep: too small, wanted at least 24h and at most 87600h`},
		{"photos: {max_bytes: 0 B}", `1:21: photos.max_bytes: too small, wanted at least 1 B and at most 256 MB`},
		{"photos: {enabled: yes}", `1:19: photos.enabled: wanted true or false, got the text "yes"`},
		{"photos: {formats: jpeg}", `1:19: photos.formats: wanted a list, got the text "jpeg"`},
		{"photos: {formats: []}", `1:10: photos.formats: too short, wanted at least 1 entry`},
		{"photos: {formats: [heic]}", `1:20: photos.formats[0]: "heic" is not one of jpeg, png, gif, webp`},
		{"photos: {damaged: hide}", `1:19: photos.damaged: "hide" is not one of reject, show`},
		{"photos: {damaged: true}", `1:19: photos.damaged: wanted a text, got true`},
		{"photos: {formats: [4]}", `1:20: photos.formats[0]: wanted a text, got the number 4`},
	})
}

func TestGatewayAddressesAndServices(t *testing.T) {
	wantEach(t, []refusal{
		{"listen: 8080", `1:9: listen: wanted a text, got the number 8080`},
		{"listen: localhost", `1:9: listen: not host:port`},
		{"listen: 127.0.0.1:99999", `1:9: listen: not host:port`},
		{"listen: :8080", `1:9: listen: reachable from other machines, without TLS`},
		{"listen: '[::]:8080'", `1:9: listen: reachable from other machines, without TLS`},
		{"admin_listen: 127.0.0.1:8080", `1:15: admin_listen: the same address as listen`},
		{"trusted_proxies: [10.0.0.1]", `1:19: trusted_proxies[0]: not a network in CIDR notation`},
		{"trusted_proxies: [10.0.0.1/8]", `1:19: trusted_proxies[0]: bits are set beyond the mask: 10.0.0.0/8 is the network`},
		{"trusted_proxies:\n  - 0.0.0.0/0", `2:5: trusted_proxies[0]: this is every address there is`},
		{"tls: {cert_file: no.pem, key_file: lightlock.yaml}", `1:18: tls.cert_file: the file does not exist`},
		{"tls: {cert_file: lightlock.yaml}", `1:1: missing key "key_file"`},
		{"redis: {db: 0}", `1:1: redis: missing key "address"`},
		{"redis: {addresses: [localhost], cluster: true}", `1:21: redis.addresses[0]: not host:port`},
		{"redis: {addresses: ['/a.sock'], cluster: true}", `1:21: redis.addresses[0]: not host:port`},
		{"redis: {addresses: ['a:1', 'a:2']}", `1:9: redis.addresses: neither master nor cluster is set`},
		{"redis: {address: 'a:1', addresses: ['a:2']}", `1:25: redis.addresses: neither master nor cluster is set`},
		{"redis: {address: 'a:1', master: m, cluster: true}", `1:45: redis.cluster: master is set as well`},
		{"redis: {address: 'a:1', cluster: true, db: 1}", `1:44: redis.db: not 0`},
		{"redis: {address: /a.sock, cluster: true}", `1:18: redis.address: the path of a socket`},
		{"redis: {address: /a.sock, master: m}", `1:18: redis.address: the path of a socket`},
		{"redis: {address: 'a:1', sentinel_username: u}", `1:1: redis.master: not set, but a user or password for Sentinels is`},
		{"redis: {address: 'a:1', username: u}", `1:1: redis.password: not set, but username is`},
		{"redis: {address: 'a:1', master: m, sentinel_username: u}", `1:1: redis.sentinel_password: not set, but sentinel_username is`},
		{"spool: {folder: data/photos/spool}\ndata: data", `1:17: spool.folder: in the folder of the pictures`},
		{"spool: {folder: data/photos}", `1:17: spool.folder: in the folder of the pictures`},
		{"spool: {folder: data/redis/x}", `1:17: spool.folder: in the folder of the private redis-server`},
		{"redis: {address: localhost}", `1:18: redis.address: neither host:port nor the absolute path of a socket`},
		{"redis: {address: 'a:1', durability: memory}", `1:37: redis.durability: "memory" is not one of fsync, trusted`},
		{"redis: {address: 'a:1', password: abc}", `1:35: redis.password: a secret stands in the file itself`},
		{"connectors: elsewhere", `1:13: connectors: there is no such folder`},
		{"connectors: lightlock.yaml", `1:13: connectors: the folder cannot be read`},
		{"services: [{token: '${TEST_TOKEN}', queues: [a]}]", `1:12: missing key "name"`},
		{"services: [{name: a, token: '${TEST_SECRET}', queues: [a]}]", `1:29: services[0].token: too short, wanted at least 32 characters`},
		{"services: [{name: a, token: '${TEST_TOKEN}', queues: []}]", `1:46: services[0].queues: must not be empty`},
		{"services: [{name: a, token: '${TEST_TOKEN}', queues: [A]}]", `1:55: services[0].queues[0]: "A" is not a name of 1 to 64 characters a-z, 0-9 and -`},
	})
}

// wantEach loads each text as the gateway's file.
func wantEach(t *testing.T, list []refusal) {
	t.Helper()
	for _, c := range list {
		inFolder(t, map[string]string{"lightlock.yaml": withURL(c.text)})
		wantOne(t, c, "lightlock.yaml:")
	}
}

// withURL puts a public URL behind the mistake, so that lines stay as written.
func withURL(text string) string {
	if strings.HasPrefix(text, "- ") || strings.HasPrefix(text, "just") || strings.Contains(text, "---") {
		return text
	}
	return text + "\npublic_url: https://photos.example.com\n"
}

func TestPublicURLProblems(t *testing.T) {
	const insecure = "not https"
	for url, want := range map[string]string{
		"photos.example.com":           "not an absolute http or https address",
		"ftp://photos.example.com":     "not an absolute http or https address",
		"https:photos.example.com":     "not an absolute http or https address",
		"https://u:p@example.com":      "a user name stands in the address",
		"https://example.com/?a=b":     "a query or fragment stands in the address",
		"'https://example.com/#x'":     "a query or fragment stands in the address",
		"http://photos.example.com":    insecure,
		"http://127.0.0.1.example.com": insecure,
	} {
		inFolder(t, map[string]string{"lightlock.yaml": "public_url: " + url})
		wantOne(t, refusal{url, "1:13: public_url: " + want}, "lightlock.yaml:")
	}
	inFolder(t, map[string]string{"lightlock.yaml": "public_url: http://localhost:8080/x\nlisten: 0.0.0.0:1\ntrusted_proxies: [10.0.0.0/8]\n"})
	wantOne(t, refusal{"exposed", "1:13: public_url: not https, and listen is reachable from other machines"}, "lightlock.yaml:")
}

func TestConnectorProblems(t *testing.T) {
	change := func(old, text string) string { return strings.Replace(goodLine, old, text, 1) }
	for _, c := range []refusal{
		{change("channel: line\n", ""), `1:1: missing key "channel"`},
		{change("channel: line", "chanel: line"), `1:1: unknown key "chanel"`},
		{change("channel: line", "channel: lime"), `1:10: channel: no channel "lime" here`},
		{change("name: acme", "name: Acme"), `2:7: name: "Acme" is not a name of 1 to 64 characters a-z, 0-9 and -`},
		{change("name: acme", "name: acme\nratio: 1.5"), `3:8: ratio: too large, wanted at least 0 and at most 1`},
		{change("name: acme", "name: acme\nratio: half"), `3:8: ratio: wanted a number, got the text "half"`},
		{change("channel_secret: ${TEST_SECRET}", "# none"), `1:1: missing key "channel_secret"`},
		{change("${TEST_SECRET}", "abc"), `3:17: channel_secret: a secret stands in the file itself`},
		{change("${TEST_SECRET}", "12345"), `3:17: channel_secret: a secret stands in the file itself`},
		{change("${TEST_SECRET}", "x${TEST_SECRET}"), `3:17: channel_secret: a secret stands in the file itself`},
		{change("${TEST_SECRET}", "${TEST_UNSET}"), `3:17: channel_secret: the environment variable TEST_UNSET is not set`},
		{change("${TEST_SECRET}", "${TEST_EMPTY}"), `3:17: channel_secret: the environment variable TEST_EMPTY is empty`},
		{change("${TEST_SECRET}", ""), `3:1: channel_secret: nothing stands behind the key`},
		{change("${TEST_SECRET}", "[]"), `3:1: channel_secret: wanted 1 to 4 entries`},
		{change("${TEST_SECRET}", "[a, a, a, a, a]"), `3:1: channel_secret: wanted 1 to 4 entries`},
		{change("${TEST_SECRET}", "\n  - ${TEST_SECRET}\n  - ${TEST_UNSET}"), `5:5: channel_secret: the environment variable TEST_UNSET is not set`},
		{change("${TEST_SECRET}", "{a: b}"), `3:17: channel_secret: wanted a single value`},
		{change("secret: ${TEST_SECRET}", "secret_file: none.txt"), `3:22: channel_secret_file: the file does not exist`},
		{change("secret: ${TEST_SECRET}", "secret_file: /"), `3:22: channel_secret_file: this is not a regular file`},
		{change("secret: ${TEST_SECRET}", "secret_file: ../empty"), `3:22: channel_secret_file: the file is empty`},
		{change("secret: ${TEST_SECRET}", "secret_file: ../large"), `3:22: channel_secret_file: the file is larger than 64 KB`},
		{change("channel_secret:", "channel_secret_file: ../fine\nchannel_secret:"), `4:1: both channel_secret and channel_secret_file`},
		{change("  - id: U1\n", "  - name: a\n"), `5:5: missing key "id"`},
		{change("id: U1", "id: X1"), `5:9: accounts[0].id: no bot's id`},
		{change("id: U1", "id: 106540352242922"), `5:9: accounts[0].id: wanted a text, got the number 106540352242922`},
		{change("id: U1", "name: a b\n    id: U1"), `5:11: accounts[0].name: "a b" is not a name of 1 to 64 characters a-z, 0-9 and -`},
		{change("    queue: support\n", ""), `5:5: missing key "queue"`},
		{change("queue:", "photos: {formats: [tiff]}\n    queue:"), `6:24: accounts[0].photos.formats[0]: "tiff" is not one of jpeg, png, gif, webp`},
		{change(goodLine[strings.Index(goodLine, "accounts:"):], "accounts: []"), `4:1: accounts: must not be empty`},
		{change(goodLine[strings.Index(goodLine, "accounts:"):], "accounts: [7]"), `4:12: accounts[0]: wanted keys and values, got the number 7`},
		{change("name: acme", "name: acme\napi_base: api.line.me"), `3:11: api_base: not an absolute http or https address`},
		{change("name: acme", "name: acme\napi_base: http://api.line.me"), `3:11: api_base: not https`},
		{change("name: acme", "name: acme\napi_base: https://10.1.2.3"), `3:11: api_base: not a public host`},
		{change("name: acme", "name: acme\napi_base: https://[::1]:99/x"), `3:11: api_base: not a public host`},
		{change("name: acme", "name: acme\napi_base: https://0x7f.1"), `3:11: api_base: not a public host`},
		{change("name: acme", "name: acme\napi_base: https://sim"), `3:11: api_base: not a public host`},
		{change("name: acme", "name: acme\napi_base: https://a.internal."), `3:11: api_base: not a public host`},
	} {
		inFolder(t, map[string]string{"lightlock.yaml": "public_url: https://a.example", "connectors/line.yaml": c.text,
			"empty": "\n", "fine": "x", "large": strings.Repeat("x", maxSecretBytes+1)})
		t.Setenv("TEST_EMPTY", "")
		wantOne(t, c, "connectors/line.yaml:")
	}
}

func wantOne(t *testing.T, c refusal, file string) {
	t.Helper()
	_, err := Load("lightlock.yaml", testChannels)
	var problems *Problems
	if !errors.As(err, &problems) {
		t.Errorf("%s\ngot error %v, want *Problems", c.text, err)
		return
	}
	got := heads(problems)
	if len(got) != 1 || got[0] != file+c.want {
		t.Errorf("%s\ngot  %s\nwant %s", c.text, strings.Join(got, "\n     "), file+c.want)
	}
}

func TestProblemsBetweenFiles(t *testing.T) {
	two := goodLine + "  - id: U1\n    queue: support\n    channel_access_token: ${TEST_ACCESS}\n"
	inFolder(t, map[string]string{
		"lightlock.yaml": strings.Replace(strings.Replace(goodGateway, "[support]", "[sales]", 1), "public_url", "# public_url", 1) +
			"  - name: desk\n    token: ${TEST_TOKEN}\n    queues: [support]\n",
		"connectors/a.yaml": goodLine,
		"connectors/b.yaml": goodLine,
	})
	want := []string{
		`connectors/b.yaml:2:7: name: line/acme is in connectors/a.yaml already`,
		`lightlock.yaml:2:1: missing key "public_url"`,
		`lightlock.yaml:5:14: services[0].queues[0]: no account has the queue "sales"`,
		`lightlock.yaml:6:11: services[1].name: the same name as services[0]`,
		`lightlock.yaml:7:12: services[1].token: the same token as services[0]`,
	}
	got := heads(mustFail(t))
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	inFolder(t, map[string]string{"lightlock.yaml": goodGateway, "connectors/line.yaml": two})
	want = []string{
		`connectors/line.yaml:5:5: accounts[0].name: no name`,
		`connectors/line.yaml:8:5: accounts[1].name: no name`,
		`connectors/line.yaml:8:9: accounts[1].id: the same id as accounts[0]`,
	}
	if got := heads(mustFail(t)); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPrivateAddressesMayBeAllowed(t *testing.T) {
	inFolder(t, map[string]string{"lightlock.yaml": goodGateway,
		"connectors/line.yaml": goodLine + "api_base: http://127.0.0.1:9999/line\nallow_private_addresses: true\n"})
	l, err := Load("lightlock.yaml", testChannels)
	if err != nil {
		t.Fatal(err)
	}
	if c := l.Connectors[0].Common(); c.APIBase != "http://127.0.0.1:9999/line" || !c.AllowPrivateAddresses {
		t.Errorf("got %+v", c)
	}
}

// TestAnUnknownChannel names files so that not even they tell the channel: then
// only the common keys can be judged.
func TestAnUnknownChannel(t *testing.T) {
	inFolder(t, map[string]string{
		"lightlock.yaml":    strings.Replace(goodGateway, "[support]", "[sales]", 1),
		"connectors/a.yaml": "channel: facsimile\nname: A\nfax_secret: " + canary + "\n",
		"connectors/b.yaml": "fax_secret: " + canary + "\n",
		"connectors/c.yaml": "",
	})
	want := []string{
		`connectors/a.yaml:1:10: channel: no channel "facsimile" here`,
		`connectors/a.yaml:2:7: name: "A" is not a name of 1 to 64 characters a-z, 0-9 and -`,
		`connectors/b.yaml:0:0: missing key "channel"`,
		`connectors/b.yaml:0:0: missing key "name"`,
		`connectors/c.yaml:0:0: missing key "channel"`,
		`connectors/c.yaml:0:0: missing key "name"`,
	}
	p := mustFail(t)
	if got := heads(p); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if leaks(p.Error()) {
		t.Errorf("the secret is in the report:\n%s", p)
	}
}

func TestValuesMarshalAsTheyAreRead(t *testing.T) {
	got, err := json.Marshal([]any{10 * MB, seconds(90)})
	if want := `["10 MB","1m30s"]`; string(got) != want || err != nil {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

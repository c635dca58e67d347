package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestLoad(t *testing.T) {
	inFolder(t, map[string]string{
		"lightlock.yaml": goodGateway + `listen: 0.0.0.0:443
data: pictures
tls: {cert_file: tls/cert.pem, key_file: /dev/null}
redis:
  address: /run/redis.sock
  password_file: redis.txt
  durability: trusted
work: {slots: 9, lease: 90s, retry_max: 1h}
photos:
  max_bytes: 12 MB
  enabled: false
  damaged: show
`,
		"tls/cert.pem":           "x",
		"redis.txt":              "hush\n",
		"connectors/line.yaml":   goodLine,
		"connectors/other.yml":   strings.Replace(goodLine, "name: acme", "name: other\nratio: 0.5", 1),
		"connectors/.hidden.yml": "what: ever",
		"connectors/README.md":   "not a connector",
	})
	l, err := Load("lightlock.yaml", testChannels)
	if err != nil {
		t.Fatal(err)
	}
	no := false
	want := Default()
	want.Listen, want.PublicURL, want.Data = "0.0.0.0:443", "https://photos.example.com", "pictures"
	want.TLS = &TLS{"tls/cert.pem", "/dev/null"}
	want.Redis = &Redis{Address: "/run/redis.sock", Durability: "trusted"}
	want.Work.Slots, want.Work.Lease, want.Work.RetryMax = 9, Duration(90*time.Second), Duration(time.Hour)
	want.Photos.MaxBytes, want.Photos.Enabled, want.Photos.Damaged = 12*MB, &no, "show"
	want.Services = []Service{{Name: "desk", Queues: []string{"support"}}}
	password, token := l.Config.Redis.Password.Reveal(), l.Config.Services[0].Token.Reveal()
	if password != "hush" || token != testToken {
		t.Errorf("got password %q and token %q, want %q and %q", password, token, "hush", testToken)
	}
	l.Config.Redis.Password, l.Config.Services[0].Token = Secret{}, Secret{} // functions do not compare
	if !reflect.DeepEqual(l.Config, want) {
		t.Errorf("got  %+v\nwant %+v", l.Config, want)
	}
	if l.Path != "lightlock.yaml" || l.Files != 3 || len(l.Connectors) != 2 {
		t.Fatalf("got path %s, %d files, %d connectors", l.Path, l.Files, len(l.Connectors))
	}
	line := l.Connectors[0].(*lineSettings)
	if got := line.FullName(); got != "line/acme" {
		t.Errorf("first connector is %s, want line/acme", got)
	}
	if line.ChannelSecret[0].Reveal() != "the-channel-secret" || line.Accounts[0].Token.Reveal() != "the-access-token" {
		t.Error("the secrets are not those of the environment")
	}
	if other := l.Connectors[1].(*lineSettings); other.Name != "other" || other.Ratio != 0.5 {
		t.Errorf("got %+v", other)
	}
}

// TestValuesThatAreJustRight are at the edge of what is refused.
func TestValuesThatAreJustRight(t *testing.T) {
	for _, text := range []string{
		"listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0",
		"listen: 127.0.0.1:65535",
		"listen: localhost:8080",
		"listen: 127.0.0.9:8080",
		"listen: '[::1]:8080'",
		"work: {slots: 1, retry_min: 24h, retry_max: 24h}",
		"work: {slots: 1024, lease: 1h}",
		"photos: {max_bytes: 256 MB, preview_side: 8192, thumbnail_side: 16, memory: 916 MB}",
		"photos: {max_bytes: 121 MB}",
		"photos: {memory: 224 MB, max_bytes: 25 MB}",
		"photos: {memory: 1024 GB}",
		"trusted_proxies: [10.1.2.3/32, '2001:db8::/32', 0.0.0.0/1]",
		"redis: {address: '[::1]:6379', db: 1023}",
	} {
		inFolder(t, map[string]string{"lightlock.yaml": goodGateway + text + "\n", "connectors/line.yaml": goodLine})
		if _, err := Load("lightlock.yaml", testChannels); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
	for _, text := range []string{"api_base: https://proxy.example.com/line", "api_base: https://proxy.example.com:8443", "ratio: 0", "ratio: 1.0"} {
		inFolder(t, map[string]string{"lightlock.yaml": goodGateway, "connectors/line.yaml": goodLine + text + "\n"})
		if _, err := Load("lightlock.yaml", testChannels); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	inFolder(t, map[string]string{
		"etc/lightlock.yaml":          goodGateway + "connectors: webhooks\ndata: ../var\n",
		"etc/webhooks/line.yaml":      strings.Replace(goodLine, "secret: ${TEST_SECRET}", "secret_file: ../secrets/line", 1),
		"etc/secrets/line":            "from-a-file\r\n",
		"etc/webhooks/old/ignored.md": "",
	})
	l, err := Load("etc/lightlock.yaml", testChannels)
	if err != nil {
		t.Fatal(err)
	}
	if l.Config.Data != "var" || l.Config.Connectors != filepath.Join("etc", "webhooks") {
		t.Errorf("got data %s, connectors %s", l.Config.Data, l.Config.Connectors)
	}
	if got := l.Connectors[0].(*lineSettings).ChannelSecret[0].Reveal(); got != "from-a-file" {
		t.Errorf("got %q", got)
	}
}

func TestSecretsTakeAList(t *testing.T) {
	for _, text := range []string{
		"channel_secret: [\"${TEST_SECRET}\", '${TEST_ACCESS}']",
		"channel_secret:\n  - ${TEST_SECRET}\n  - ${TEST_ACCESS}",
		"channel_secret_file: [one, two]",
	} {
		inFolder(t, map[string]string{
			"lightlock.yaml": goodGateway, "connectors/one": "the-channel-secret", "connectors/two": "the-access-token",
			"connectors/line.yaml": strings.Replace(goodLine, "channel_secret: ${TEST_SECRET}", text, 1),
		})
		l, err := Load("lightlock.yaml", testChannels)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got := l.Connectors[0].(*lineSettings).ChannelSecret
		if len(got) != 2 || got[0].Reveal() != "the-channel-secret" || got[1].Reveal() != "the-access-token" {
			t.Errorf("%s: got %d secrets, not the two", text, len(got))
		}
	}
}

func TestAnEmptyFileMeansDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "\n\n"} {
		inFolder(t, map[string]string{"lightlock.yaml": text})
		l, err := Load("lightlock.yaml", nil)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if !reflect.DeepEqual(l.Config, Default()) || l.Files != 1 {
			t.Errorf("%q: got %+v in %d files", text, l.Config, l.Files)
		}
	}
}

func TestAMissingConfigurationSaysSo(t *testing.T) {
	inFolder(t, nil)
	_, err := Load("no/such.yaml", testChannels)
	if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "the configuration no/such.yaml does not exist") {
		t.Errorf("got %v", err)
	}
	if _, err = Load(".", testChannels); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("a folder: got %v", err)
	}
}

func TestAWrongStructIsFoundBeforeAnyFile(t *testing.T) {
	type settings struct {
		lineSettings `yaml:",inline"`
	}
	for name, v := range map[string]any{
		"unknown rule": &struct {
			A string `yaml:"a" check:"requierd"`
		}{},
		"limit": &struct {
			A Bytes `yaml:"a" check:"max=10"`
		}{},
		"has no yaml key": &struct{ A string }{},
		"there twice": &struct {
			A string `yaml:"a"`
			B string `yaml:"a"`
		}{},
		"cannot be read": &struct {
			A map[string]string `yaml:"a"`
		}{},
		`unknown rule "inner"`: &struct {
			A []struct {
				B string `yaml:"b" check:"inner"`
			} `yaml:"a"`
		}{},
		"use Secrets": &struct {
			A []Secret `yaml:"a"`
		}{},
	} {
		if _, err := Schema(v); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want an error with %q, got %v", name, err)
		}
	}
	type broken struct {
		settings `yaml:",inline"`
		Odd      chan int `yaml:"odd"`
	}
	_, err := Load("never-read.yaml", Prototypes{"line": func() Settings { return &broken{} }})
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want the struct's error", err)
	}
}

func TestUnreadableConnectorFiles(t *testing.T) {
	inFolder(t, map[string]string{"lightlock.yaml": goodGateway, "connectors/line.yaml": goodLine})
	if err := os.Mkdir("connectors/folder.yaml", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", "connectors/link.yaml"); err != nil {
		t.Fatal(err)
	}
	got := mustFail(t).Error()
	for _, want := range []string{"connectors/folder.yaml: the file cannot be read", "connectors/link.yaml: the file cannot be read", "2 problems in 2 of 4 files"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

func TestSilenceAboutDurabilityMeansFsync(t *testing.T) {
	inFolder(t, map[string]string{"lightlock.yaml": "redis:\n  address: 127.0.0.1:6379\n  password: ${TEST_PASSWORD}\n"})
	t.Setenv("TEST_PASSWORD", "hush\n")
	l, err := Load("lightlock.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if l.Config.Redis.Durability != "fsync" || l.Config.Redis.Password.Reveal() != "hush" {
		t.Errorf("got %+v, password %q", l.Config.Redis, l.Config.Redis.Password.Reveal())
	}
}

func TestWhereTheSpoolLies(t *testing.T) {
	for text, want := range map[string]struct {
		folder string
		limit  int64
	}{
		"data: var\n": {filepath.Join("etc", "var", "spool"), 256 << 20},
		"spool: {folder: disk, max_bytes: 2 GB}\n":      {filepath.Join("etc", "disk"), 2 << 30},
		"spool: {folder: /mnt/spool, enabled: false}\n": {"/mnt/spool", 0},
	} {
		inFolder(t, map[string]string{"etc/lightlock.yaml": goodGateway + text})
		l, err := Load(filepath.Join("etc", "lightlock.yaml"), testChannels)
		if err != nil {
			t.Fatal(err)
		}
		if folder, limit := l.Config.SpoolFolder(), l.Config.Spool.Limit(); folder != want.folder || limit != want.limit {
			t.Errorf("%s: got %s with %d bytes, want %s with %d", text, folder, limit, want.folder, want.limit)
		}
	}
}

// How long is kept what consumers said, where nothing is configured.
func TestHowLongConsumersWordsAreKept(t *testing.T) {
	const day = 24 * time.Hour
	c := Default()
	for what, kept := range map[string]struct{ got, want time.Duration }{
		"a conversation in which nothing happens": {time.Duration(c.Conversations.Idle), 30 * day},
		"messages and photos, for 13 months":      {time.Duration(c.Photos.Keep), 396 * day},
		"dead letters":                            {time.Duration(c.Work.KeepLetters), 30 * day},
	} {
		if kept.got != kept.want {
			t.Errorf("%s: got %s, want %s", what, kept.got, kept.want)
		}
	}
}

package config

import (
	"errors"
	"strings"
	"testing"
)

// Who only looks needs few of the secrets; what else is wrong is found as ever.
func TestLoadToLook(t *testing.T) {
	const redis = "redis: {address: \"127.0.0.1:6379\", password: \"${NO_PASSWORD}\"}\n"
	const s3 = "store: {s3: {endpoint: \"https://s3.example.com\", bucket: photos, access_key: \"${NO_KEY}\", secret_key_file: nowhere}}\n"
	for _, test := range []struct {
		what, gateway, line string
		want                []string
	}{
		{"nothing is there", goodGateway, goodLine, nil},
		{"a file is not", goodGateway, strings.Replace(goodLine, "channel_secret: ${TEST_SECRET}", "channel_secret_file: nowhere", 1), nil},
		{"needed", goodGateway + redis + s3, goodLine, []string{"redis.password", "store.s3.access_key", "store.s3.secret_key_file"}},
		{"in the file itself", goodGateway, strings.Replace(goodLine, "${TEST_SECRET}", "it", 1), []string{"a secret stands in the file itself"}},
		{"no key", goodGateway, strings.Replace(goodLine, "channel_secret: ${TEST_SECRET}\n", "", 1), []string{`missing key "channel_secret"`}},
	} {
		t.Run(test.what, func(t *testing.T) {
			inFolder(t, map[string]string{"lightlock.yaml": test.gateway, "connectors/line.yaml": test.line})
			for _, name := range []string{"TEST_SECRET", "TEST_ACCESS", "TEST_TOKEN"} {
				t.Setenv(name, "")
			}
			loaded, err := LoadToLook("lightlock.yaml", testChannels)
			var problems *Problems
			switch {
			case test.want == nil && (err != nil || len(loaded.Connectors) != 1):
				t.Fatalf("got %v, want no problem", err)
			case test.want == nil:
				if _, err := Load("lightlock.yaml", testChannels); !errors.As(err, &problems) || len(problems.List) < 3 {
					t.Errorf("to serve: got %v, want the three secrets missing", err)
				}
			case !errors.As(err, &problems) || len(problems.List) != len(test.want):
				t.Fatalf("got %v, want %q", err, test.want)
			default:
				all := strings.Join(heads(problems), "\n")
				for _, want := range test.want {
					if !strings.Contains(all, want) {
						t.Errorf("no %q in\n%s", want, all)
					}
				}
			}
		})
	}
}

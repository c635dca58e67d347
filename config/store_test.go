package config

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

const goodS3 = "endpoint: 'https://s3.example.com', bucket: photos, access_key: '${TEST_SECRET}', secret_key: '${TEST_TOKEN}'"

// s3 is goodS3 with one key changed or added.
func s3(key, value string) string {
	keys := strings.Split(goodS3, ", ")
	for i, k := range keys {
		if strings.HasPrefix(k, key+":") {
			keys[i] = fmt.Sprintf("%s: %s", key, value)
			return strings.Join(keys, ", ")
		}
	}
	return goodS3 + fmt.Sprintf(", %s: %s", key, value)
}

func TestStoreProblems(t *testing.T) {
	var list []refusal
	for _, c := range []struct{ key, value, want string }{
		{"endpoint", "s3.example.com", "not an absolute http or https address"},
		{"endpoint", "'s3://photos'", "not an absolute http or https address"},
		{"endpoint", "'https://s3.example.com/photos'", "a path stands in the address"},
		{"endpoint", "'https://key:secret@s3.example.com'", "a user name stands in the address"},
		{"endpoint", "'http://s3.example.com'", "http, and not on this machine"},
		{"endpoint", "'http://10.0.0.1:9000'", "http, and not on this machine"},
		{"bucket", "Photos", "no name of a bucket"},
		{"bucket", "a/b", "no name of a bucket"},
		{"bucket", "a..b", "no name of a bucket"},
		{"bucket", "ab", "no name of a bucket"},
		{"prefix", "/photos", "not a plain path"},
		{"prefix", "a//b", "not a plain path"},
		{"prefix", "a/../b", "not a plain path"},
		{"prefix", "'a b'", "not a plain path"},
		{"prefix", "'a?b'", "not a plain path"},
		{"addressing", "dns", `"dns" is not one of auto, path, virtual`},
		{"ca_file", "no.pem", "the file does not exist"},
		{"proxy", "proxy", "not the address of a proxy"},
		{"proxy", "'http://a:b@proxy:3128'", "not the address of a proxy"},
		{"secret_key", "abc", "a secret stands in the file itself"},
		{"access_key", "AKIAIOSFODNN7EXAMPLE", "a secret stands in the file itself"},
	} {
		list = append(list, refusal{"store: {s3: {" + s3(c.key, c.value) + "}}", "store.s3." + c.key + ": " + c.want})
	}
	for _, c := range list {
		inFolder(t, map[string]string{"lightlock.yaml": withURL(c.text)})
		_, err := Load("lightlock.yaml", testChannels)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "store.s3.") != 1 {
			t.Errorf("%s\ngot  %v\nwant %s alone", c.text, err, c.want)
		}
	}
	for _, missing := range []string{"endpoint", "bucket", "access_key", "secret_key"} {
		text := strings.Replace("store: {s3: {"+goodS3+"}}", missing+":", "region:", 1)
		inFolder(t, map[string]string{"lightlock.yaml": withURL(text)})
		if _, err := Load("lightlock.yaml", testChannels); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("missing key %q", missing)) {
			t.Errorf("without %s: got %v", missing, err)
		}
	}
}

// keyOf is a key of one letter.
func keyOf(letter byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{letter}, 32))
}

func TestStoreKeys(t *testing.T) {
	for name, c := range map[string]struct {
		values [2]string
		text   string
		want   string
	}{
		"two":            {[2]string{keyOf('a'), keyOf('b') + "\n"}, "keys: [{id: one, key: '${TEST_KEY_1}'}, {id: two, key: '${TEST_KEY_2}'}]", ""},
		"none beside s3": {[2]string{}, "s3: {" + goodS3 + "}", "lightlock.yaml:6:1: store: no keys beside s3"},
		"short":          {[2]string{keyOf('a')[4:]}, "keys: [{id: one, key: '${TEST_KEY_1}'}]", "store.keys[0].key: not 32 bytes in base64"},
		"hex":            {[2]string{strings.Repeat("0f", 32)}, "keys: [{id: one, key: '${TEST_KEY_1}'}]", "store.keys[0].key: not 32 bytes in base64"},
		"no text":        {[2]string{"a password that is long enough to be one"}, "keys: [{id: one, key: '${TEST_KEY_1}'}]", "store.keys[0].key: not 32 bytes in base64"},
		"the same twice": {[2]string{keyOf('a'), keyOf('a')}, "keys: [{id: one, key: '${TEST_KEY_1}'}, {id: two, key: '${TEST_KEY_2}'}]", "store.keys[1].key: the same key as another"},
		"the same id":    {[2]string{keyOf('a'), keyOf('b')}, "keys: [{id: one, key: '${TEST_KEY_1}'}, {id: one, key: '${TEST_KEY_2}'}]", "store.keys[1].id: the same id as another"},
		"no id":          {[2]string{keyOf('a')}, "keys: [{key: '${TEST_KEY_1}'}]", `missing key "id"`},
		"in the file":    {[2]string{}, "keys: [{id: one, key: " + keyOf('a') + "}]", "a secret stands in the file itself"},
		"not set":        {[2]string{}, "keys: [{id: one, key: '${TEST_KEY_1}'}]", "the environment variable TEST_KEY_1 is empty"},
	} {
		t.Setenv("TEST_KEY_1", c.values[0])
		t.Setenv("TEST_KEY_2", c.values[1])
		inFolder(t, map[string]string{"lightlock.yaml": goodGateway + "store: {" + c.text + "}\n", "connectors/line.yaml": goodLine})
		loaded, err := Load("lightlock.yaml", testChannels)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %s", name, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), keyOf('a')) {
				t.Errorf("%s: the report shows the key: %v", name, err)
			}
			continue
		}
		if err != nil || len(loaded.Config.Store.Keys) != 2 {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if raw, err := loaded.Config.Store.Keys[1].Bytes(); err != nil || string(raw) != strings.Repeat("b", 32) {
			t.Errorf("%s: got %q, %v", name, raw, err)
		}
	}
}

func TestStoreThatIsRight(t *testing.T) {
	for _, text := range []string{
		"", goodS3, s3("endpoint", "'https://s3.example.com/'"), s3("endpoint", "'https://10.0.0.1:9000'"),
		s3("endpoint", "'http://127.0.0.1:9000'"), s3("endpoint", "'http://minio:9000'") + ", insecure: true",
		s3("bucket", "a.b-c"), s3("prefix", "lightlock/photos/"), s3("prefix", "a_b.c"), s3("prefix", "''"),
		s3("addressing", "path"), s3("region", "eu-central-1"), s3("proxy", "'http://proxy.example.com:3128'"), s3("ca_file", "lightlock.yaml"),
	} {
		store := ""
		if text != "" {
			t.Setenv("TEST_STORE_KEY", keyOf('a'))
			store = "store: {s3: {" + text + "}, keys: [{id: one, key: '${TEST_STORE_KEY}'}]}\n"
		}
		inFolder(t, map[string]string{"etc/lightlock.yaml": goodGateway + store, "etc/connectors/line.yaml": goodLine})
		loaded, err := Load("etc/lightlock.yaml", testChannels)
		if err != nil {
			t.Errorf("%s\n%v", text, err)
			continue
		}
		if s := loaded.Config.Store.S3; (s == nil) != (text == "") || s != nil && s.SecretKey.IsZero() {
			t.Errorf("%s: got %+v", text, s)
		}
		if strings.Contains(text, "ca_file") && loaded.Config.Store.S3.CAFile != "etc/lightlock.yaml" {
			t.Errorf("got ca_file %s, want it relative to the file", loaded.Config.Store.S3.CAFile)
		}
		if loaded.Config.Photos.Keep.String() != "9504h" {
			t.Errorf("got keep %s, want 9504h", loaded.Config.Photos.Keep)
		}
	}
}

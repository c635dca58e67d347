package meta_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
)

func TestVerify(t *testing.T) {
	// By openssl dgst -sha256 -hmac app-secret; the backslashes are on the wire.
	const body = `{"object":"page","entry":[{"id":"1","time":1700000000000,"messaging":[{"sender":{"id":"9"},"recipient":{"id":"1"},"timestamp":1700000000000,"message":{"mid":"m_abc","text":"caf\u00e9 \ud83d\ude00"}}]}]}`
	header := http.Header{}
	header.Set("X-Hub-Signature-256", "sha256=08f4cb82c2a3b56389b92cfd3b858b4852c07df7f123994ff56b6b05d4f5cfbc")
	r := &connectors.Request{Method: http.MethodPost, Header: header, Body: []byte(body)}
	if err := meta.Verify("test", r, config.Secrets{config.NewSecret("app-secret")}); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	if err := meta.Verify("test", r, config.Secrets{config.NewSecret("app-secreT")}); connectors.KindOf(err) != connectors.Unauthentic {
		t.Errorf("got %v, want kind unauthentic", err)
	}
}

func TestTime(t *testing.T) {
	tests := []struct {
		raw  string
		want time.Time
	}{
		{`"1790000000"`, time.Unix(1790000000, 0)},
		{`1790000000`, time.Unix(1790000000, 0)},
		{`"\u0031790000000"`, time.Unix(1790000000, 0)},
		{`""`, time.Time{}},
		{`1790000000123`, time.UnixMilli(1790000000123)},
		{`"1790000000123"`, time.UnixMilli(1790000000123)},
		{`253402300799`, time.Unix(253402300799, 0)},
		{`253402300800`, time.Time{}},
		{`999999999999`, time.Time{}},
		{`1000000000000`, time.UnixMilli(1000000000000)},
		{`253402300799999`, time.UnixMilli(253402300799999)},
		{`253402300800000`, time.Time{}},
		{`9223372036854775808`, time.Time{}},
		{`0`, time.Time{}},
		{`-5`, time.Time{}},
		{`-9223372036854775808`, time.Time{}},
		{`1.79e9`, time.Time{}},
		{`null`, time.Time{}},
		{`"` + strings.Repeat("0", 200) + `1790000000"`, time.Time{}},
		{`{}`, time.Time{}},
		{``, time.Time{}},
	}
	for _, test := range tests {
		got := meta.Time(json.RawMessage(test.raw))
		if !got.Equal(test.want) {
			t.Errorf("%s: got %v, want %v", test.raw, got, test.want)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("%s: the time cannot be stored: %v", test.raw, err)
		}
	}
}

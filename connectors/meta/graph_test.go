package meta_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/meta"
	"github.com/lightlock/lightlock/connectors/wire"
)

func TestGraphError(t *testing.T) {
	failed := func(body string) error {
		return &connectors.Error{
			Kind: connectors.Refused, Op: "test", After: time.Second, Unsure: true,
			Err: &wire.StatusFailure{Status: http.StatusBadRequest, Body: []byte(body)},
		}
	}
	tests := []struct {
		name string
		err  error
		want connectors.ErrorKind
	}{
		{"known code", failed(`{"error":{"code":4}}`), connectors.Throttled},
		{"code 0, which is about the token", failed(`{"error":{"code":0}}`), connectors.Misconfigured},
		{"no code", failed(`{"error":{}}`), connectors.Refused},
		{"code null", failed(`{"error":{"code":null}}`), connectors.Refused},
		{"code and subcode", failed(`{"error":{"code":100,"error_subcode":33}}`), connectors.Gone},
		{"code without its subcode", failed(`{"error":{"code":100}}`), connectors.Refused},
		{"subcode of another type", failed(`{"error":{"code":190,"error_subcode":"463"}}`), connectors.Misconfigured},
		{"unknown code", failed(`{"error":{"code":5}}`), connectors.Refused},
		{"unknown code that will pass", failed(`{"error":{"code":5,"is_transient":true}}`), connectors.Unavailable},
		{"unknown code that will not", failed(`{"error":{"code":5,"is_transient":false}}`), connectors.Refused},
		{"no code, and it will pass", failed(`{"error":{"is_transient":true}}`), connectors.Unavailable},
		{"known code that says it will pass", failed(`{"error":{"code":190,"is_transient":true}}`), connectors.Misconfigured},
		{"odd word about passing", failed(`{"error":{"code":4,"is_transient":"yes"}}`), connectors.Throttled},
		{"code of another type", failed(`{"error":{"code":"4"}}`), connectors.Refused},
		{"no JSON", failed(`<html>`), connectors.Refused},
		{"cut short", failed(`{"error":{"code":4`), connectors.Refused},
		{"no answer at all", connectors.Errorf(connectors.Unavailable, "test", "reset"), connectors.Unavailable},
		{"no error of ours", errors.New("x"), connectors.Other},
		{"no error", nil, connectors.Other},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := meta.GraphError(test.err)
			if connectors.KindOf(got) != test.want {
				t.Errorf("got %v, want kind %v", got, test.want)
			}
			if connectors.UnsureOf(got) != connectors.UnsureOf(test.err) {
				t.Errorf("got unsure %t, want that of %v", connectors.UnsureOf(got), test.err)
			}
			if (got == nil) != (test.err == nil) || connectors.AfterOf(got) != connectors.AfterOf(test.err) {
				t.Errorf("got %v after %v, want the time to wait of %v", got, connectors.AfterOf(got), test.err)
			}
		})
	}
}

// The table is repeated here on purpose: a change has to be meant.
func TestGraphErrorCodes(t *testing.T) {
	tests := []struct {
		kind  connectors.ErrorKind
		codes []string
	}{
		{connectors.Throttled, []string{"4", "17", "32", "341", "613", "80001", "80006", "80007", "80008", "130429", "131048", "131056"}},
		{connectors.Unavailable, []string{"1", "2", "1200", "131000", "131016", "131053", "131057"}},
		{connectors.Misconfigured, []string{
			"0", "3", "10", "10/1", "33", "190", "190/463", "200", "200/33", "230", "299", "368",
			"131005", "131030", "131031", "131037", "131042", "131045", "133010", "2200", "2201",
		}},
		{connectors.Refused, []string{
			"10/2018065", "10/2018278", "10/2018108", "100", "100/2018001", "551", "551/1545041", "200/1545041",
			"131008", "131009", "131021", "131026", "131047", "131051",
		}},
		{connectors.Gone, []string{"100/33"}},
		// What nobody knows stays as the status had it.
		{connectors.Malformed, []string{"5", "5/33", "199", "300", "131052", "-1"}},
	}
	for _, test := range tests {
		for _, which := range test.codes {
			var code, subcode int
			_, _ = fmt.Sscanf(which, "%d/%d", &code, &subcode)
			body := fmt.Sprintf(`{"error":{"message":"x","code":%d,"error_subcode":%d}}`, code, subcode)
			err := &connectors.Error{Kind: connectors.Malformed, Err: &wire.StatusFailure{Body: []byte(body)}}
			if got := connectors.KindOf(meta.GraphError(err)); got != test.kind {
				t.Errorf("%s: got kind %v, want %v", which, got, test.kind)
			}
		}
	}
}

func TestOwnError(t *testing.T) {
	failed := func(kind connectors.ErrorKind, body string) error {
		return &connectors.Error{
			Kind: kind, Op: "test", After: time.Second, Unsure: true,
			Err: &wire.StatusFailure{Status: http.StatusBadRequest, Body: []byte(body)},
		}
	}
	tests := []struct {
		name string
		err  error
		want connectors.ErrorKind
	}{
		{"no such object", failed(connectors.Refused, `{"error":{"code":100,"error_subcode":33}}`), connectors.Misconfigured},
		{"no such path", failed(connectors.Gone, `<html>`), connectors.Misconfigured},
		{"a code", failed(connectors.Refused, `{"error":{"code":4}}`), connectors.Throttled},
		{"no code", failed(connectors.Unavailable, ``), connectors.Unavailable},
		{"no error of ours", errors.New("x"), connectors.Other},
	}
	for _, test := range tests {
		got := meta.OwnError(test.err)
		if connectors.KindOf(got) != test.want {
			t.Errorf("%s: got %v, want kind %v", test.name, got, test.want)
		}
		if connectors.AfterOf(got) != connectors.AfterOf(test.err) || connectors.UnsureOf(got) != connectors.UnsureOf(test.err) {
			t.Errorf("%s: got after %v, unsure %t; want those of %v", test.name, connectors.AfterOf(got), connectors.UnsureOf(got), test.err)
		}
	}
	if got := meta.OwnError(nil); got != nil {
		t.Errorf("got %v, want no error", got)
	}
}

func TestGraphErrorPause(t *testing.T) {
	const business = "X-Business-Use-Case-Usage"
	tests := []struct {
		name   string
		code   int
		header string
		failed time.Duration
		want   time.Duration
	}{
		{"Meta does not say", 4, "", 0, 0},
		{"one message in 6 s", 131056, "", 0, 6 * time.Second},
		{"as long as may be", 131048, "", 0, 15 * time.Minute},
		{"Retry-After is longer", 131056, "", time.Minute, time.Minute},
		{"minutes until it is over", 80007, `{"330044556677889":[{"type":"whatsapp","call_count":100,"total_cputime":25,"total_time":25,"estimated_time_to_regain_access":4}]}`, 0, 4 * time.Minute},
		{"the longest of several", 4, `{"1":[{"estimated_time_to_regain_access":1},{"estimated_time_to_regain_access":3}],"2":[{"estimated_time_to_regain_access":2}]}`, 0, 3 * time.Minute},
		{"a day", 4, `{"1":[{"estimated_time_to_regain_access":1440}]}`, 0, 15 * time.Minute},
		{"for ever", 4, `{"1":[{"estimated_time_to_regain_access":9223372036854775807}]}`, 0, 15 * time.Minute},
		{"before now", 4, `{"1":[{"estimated_time_to_regain_access":-5}]}`, 0, 0},
		{"of another type", 4, `{"1":[{"estimated_time_to_regain_access":"4"}]}`, 0, 0},
		{"of another shape", 4, `[5]`, time.Second, time.Second},
		{"not about a limit", 190, `{"1":[{"estimated_time_to_regain_access":4}]}`, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{}
			header.Set(business, test.header)
			err := &connectors.Error{Kind: connectors.Refused, After: test.failed, Err: &wire.StatusFailure{
				Status: http.StatusBadRequest, Header: header, Body: fmt.Appendf(nil, `{"error":{"code":%d}}`, test.code),
			}}
			if got := connectors.AfterOf(meta.GraphError(err)); got != test.want {
				t.Errorf("got after %v, want %v", got, test.want)
			}
		})
	}
}

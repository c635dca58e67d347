package wire

import (
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
)

func TestSender(t *testing.T) {
	own := []config.Account{{ID: "1", Name: "a"}, {ID: "2", Name: "b"}}
	for _, row := range []struct {
		name, account, consumer, text string
		kind                          connectors.ErrorKind
	}{
		{"the longest", "2", "c", "abcd", connectors.Other},
		{"the longest in emoji", "2", "c", "📷📷", connectors.Other},
		{"no text", "2", "c", "", connectors.Refused},
		{"too long", "2", "c", "abcde", connectors.Refused},
		{"too long in emoji", "2", "c", "📷📷a", connectors.Refused},
		{"nobody", "2", "", "abcd", connectors.Refused},
		{"no account", "", "c", "abcd", connectors.Misconfigured},
		{"another account", "3", "c", "abcd", connectors.Misconfigured},
	} {
		a, err := Sender("x: send", own, connectors.Outgoing{Account: row.account, Consumer: row.consumer, Text: row.text}, 4)
		if good := row.kind == connectors.Other; (err == nil) != good || connectors.KindOf(err) != row.kind || good && a.Name != "b" {
			t.Errorf("%s: got %+v, %v, want kind %v", row.name, a, err, row.kind)
		}
		if err != nil && row.text != "" && strings.Contains(err.Error(), row.text) {
			t.Errorf("%s: got %v, which holds the text", row.name, err)
		}
	}
}

func TestRegistration(t *testing.T) {
	const want = "https://gateway.example/webhooks/x/acme"
	for _, row := range []struct {
		found, missing string
		want           connectors.Registration
	}{
		{want, "", connectors.Registration{OK: true, URL: want}},
		{want + "?token=secret#rc=3", "", connectors.Registration{OK: true, URL: want}},
		{want, "it is switched off", connectors.Registration{URL: want, Detail: "it is switched off"}},
		{"", "it is switched off", connectors.Registration{Detail: "no webhook is set"}},
		{"https://user:secret@other.example/", "it is switched off", connectors.Registration{URL: "https://other.example/", Detail: "webhooks go to another address"}},
		{want + "/", "", connectors.Registration{URL: want + "/", Detail: "webhooks go to another address"}},
		{"https://%zz", "", connectors.Registration{Detail: "webhooks go to another address"}},
	} {
		if got := Registration(row.found, want, row.missing); got != row.want {
			t.Errorf("%s: got %+v, want %+v", row.found, got, row.want)
		}
	}
}

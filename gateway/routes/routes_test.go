package routes_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/gateway/routes"
)

// table builds two connectors, the second with two accounts.
func table(t *testing.T, edit func(*config.Loaded)) (*routes.Table, string) {
	t.Helper()
	no := false
	loaded := &config.Loaded{Config: config.Default(), Connectors: []config.Settings{
		&line.Config{
			Connector: config.Connector{Channel: "line", Name: "acme", Registration: "repair"},
			Accounts:  []line.Account{{Account: config.Account{ID: "U1", Name: "unused", Queue: "support"}}},
		},
		&whatsapp.Config{
			Connector: config.Connector{Channel: "whatsapp", Name: "acme"},
			Accounts: []whatsapp.Account{
				{Account: config.Account{ID: "1", Name: "shop", Queue: "sales", Photos: config.Photos{Enabled: &no, MaxBytes: config.MB, Damaged: "show"}}},
				{Account: config.Account{ID: "2", Name: "repairs", Queue: "support", Notices: config.Notices{Language: "de"}}},
			},
		},
	}}
	loaded.Config.PublicURL = "https://gateway.test/"
	if edit != nil {
		edit(loaded)
	}
	var log bytes.Buffer
	got, err := routes.New(loaded, []connectors.Channel{line.Channel(), whatsapp.Channel()}, connectors.Env{
		Log: slog.New(slog.NewTextHandler(&log, nil)), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, log.String()
}

func TestTable(t *testing.T) {
	got, log := table(t, nil)
	all := got.All()
	if all[0].URL != "https://gateway.test/webhooks/line/acme" || all[0].Registration != "repair" || all[1].Registration != "check" {
		t.Errorf("got %+v and %+v", all[0], all[1])
	}
	if names := strings.Join(got.AccountNames(), " "); names != "line/acme whatsapp/acme/shop whatsapp/acme/repairs" {
		t.Errorf("got accounts %s", names)
	}
	if queues := strings.Join(got.Queues(), " "); queues != "support sales" {
		t.Errorf("got queues %s", queues)
	}
	if largest := got.LargestPhoto(); largest != 25*config.MB {
		t.Errorf("the largest photo has %s, want 25 MB, WhatsApp's own limit", largest)
	}
	shop, repairs := all[1].Accounts[0], all[1].Accounts[1]
	if shop.Enabled || shop.Photos.MaxBytes != int64(config.MB) || shop.Notices.Language != "en" {
		t.Errorf("shop: got %+v, want no photos, 1 MB, English", shop)
	}
	if !repairs.Enabled || repairs.Photos.MaxBytes != int64(25*config.MB) || repairs.Notices.Language != "de" {
		t.Errorf("repairs: got %+v, want photos up to the channel's 25 MB, German", repairs)
	}
	if !shop.Photos.ShowDamaged || repairs.Photos.ShowDamaged {
		t.Errorf("shop shows damaged photos: %v, want true; repairs: %v, want false", shop.Photos.ShowDamaged, repairs.Photos.ShowDamaged)
	}
	if log != "" {
		t.Errorf("got the log %s, want none", log)
	}
}

// An account is found by the platform's id, whatever it is called today.
func TestFind(t *testing.T) {
	renamed, _ := table(t, func(l *config.Loaded) {
		l.Connectors[1].Common().Name = "other"
	})
	route, account, err := renamed.Find("whatsapp", "2")
	if err != nil || route.Name != "whatsapp/other" || account.ID != "2" {
		t.Errorf("got %+v, %+v, %v", route, account, err)
	}
	for _, row := range [][2]string{{"whatsapp", "3"}, {"line", "2"}, {"viber", "1"}, {"", ""}} {
		if _, _, err := renamed.Find(row[0], row[1]); connectors.KindOf(err) != connectors.Misconfigured {
			t.Errorf("%q: got %v, want kind misconfigured", row, err)
		}
	}
}

func TestPrivateAddressesAreNamedInTheLog(t *testing.T) {
	_, log := table(t, func(l *config.Loaded) { l.Connectors[0].Common().AllowPrivateAddresses = true })
	if !strings.Contains(log, "allow_private_addresses") || !strings.Contains(log, "line/acme") {
		t.Errorf("got the log %q, want the setting and its connector", log)
	}
}

func TestNewRefuses(t *testing.T) {
	loaded := &config.Loaded{Connectors: []config.Settings{&line.Config{Connector: config.Connector{Channel: "lime", Name: "x"}}}}
	env := connectors.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now}
	if _, err := routes.New(loaded, []connectors.Channel{line.Channel()}, env); err == nil || !strings.Contains(err.Error(), "lime/x") {
		t.Errorf("got %v for a channel that is not there", err)
	}
	if _, err := routes.New(loaded, []connectors.Channel{line.Channel(), line.Channel()}, env); err == nil || !strings.Contains(err.Error(), "two channels are named line") {
		t.Errorf("got %v for two channels of a name", err)
	}
}

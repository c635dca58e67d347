package load_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors/apple"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/gateway/load"
)

// TestWriteConfig: what is written is read as what it was, for every channel.
func TestWriteConfig(t *testing.T) {
	t.Parallel()
	off := false
	c := config.Default()
	c.PublicURL, c.Data = publicURL, t.TempDir()
	c.Redis = &config.Redis{Address: "127.0.0.1:6379", Username: "load", Password: config.NewSecret("a password"), Durability: "trusted"}
	c.Work.Paused, c.Work.Slots, c.Work.Lease = true, 3, config.Duration(90*time.Second)
	c.Photos.MaxBytes, c.Photos.Enabled = 5*config.MB, &off
	c.Services = []config.Service{{Name: "desk", Token: config.NewSecret("a token of more than thirty-two characters"), Queues: []string{load.Queue}}}
	prototypes := config.Prototypes{}
	var settings []config.Settings
	for i, s := range speakers(t, channels()...) {
		settings = append(settings, s.Settings)
		prototypes[channels()[i].Name] = channels()[i].Settings
	}
	settings[1].(*line.Config).ChannelSecret = config.Secrets{config.NewSecret("the new one"), config.NewSecret("the old one")}
	settings[0].(*apple.Config).MaxTokenAge = config.Duration(time.Hour) // what silence means
	dir := t.TempDir()
	file, err := load.WriteConfig(dir, c, settings)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(file, prototypes)
	if err != nil {
		t.Fatal(err)
	}
	c.Connectors = filepath.Join(dir, "connectors")
	if got, want := revealed(reflect.ValueOf(loaded.Config)), revealed(reflect.ValueOf(c)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(loaded.Connectors) != len(settings) {
		t.Fatalf("got %d connectors, want %d", len(loaded.Connectors), len(settings))
	}
	for i, s := range loaded.Connectors {
		if got, want := revealed(reflect.ValueOf(s)), revealed(reflect.ValueOf(settings[i])); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", s.Common().FullName(), got, want)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "connectors", "*"))
	if err != nil || len(files) < 2*len(settings) {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want it closed to all others", name, info.Mode(), err)
		}
	}
}

// revealed writes settings with their secrets, so that two can be compared.
func revealed(v reflect.Value) string {
	if s, ok := v.Interface().(config.Secret); ok {
		return fmt.Sprintf("%q", s.Reveal())
	}
	text := ""
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			text = revealed(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			text += v.Type().Field(i).Name + ":" + revealed(v.Field(i)) + " "
		}
	case reflect.Slice:
		for i := range v.Len() {
			text += revealed(v.Index(i)) + ","
		}
	default:
		return fmt.Sprint(v.Interface())
	}
	return "{" + text + "}"
}

// TestHouse: the queue of a house of its own is read by nobody else. The gateway is
// one that says it is ready, and no more.
func TestHouse(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "gateway")
	script := "#!/bin/sh\necho '{\"msg\":\"ready\",\"public\":\"127.0.0.1:1\"}' >&2\nexec sleep 600\n"
	if err := os.WriteFile(binary, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	target, err := load.House{Binary: binary, Channels: channels()[:1]}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !target.Alone || target.Journal == nil || len(target.Gateways) != 1 {
		t.Errorf("got %+v", target)
	}
	_ = target.Close() // it does not end in order
}

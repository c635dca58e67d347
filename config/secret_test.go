package config

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const canary = "c4n4ry-9f8e7d6c"

// holder has a secret in every way that a struct can have one.
type holder struct {
	Value   Secret
	Pointer *Secret
	List    Secrets
	Map     map[string]Secret
	Any     any
	inner   Secret
	deeper  struct{ list Secrets }
}

type named struct{ S Secret }

func newHolder() holder {
	s := NewSecret(canary)
	h := holder{Value: s, Pointer: &s, List: Secrets{s, s}, Map: map[string]Secret{"k": s}, Any: s, inner: s}
	h.deeper.list = Secrets{s}
	return h
}

func TestSecretDoesNotPrint(t *testing.T) {
	s, h := NewSecret(canary), newHolder()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s", "%T %v", "%w"} {
		for _, v := range []any{s, &s, Secrets{s}, h, &h, []any{h}} {
			args := []any{v}
			if strings.HasPrefix(verb, "%T") {
				args = append(args, v)
			}
			if got := fmt.Sprintf(verb, args...); leaks(got) {
				t.Errorf("Sprintf(%q, %T) = %s", verb, v, got)
			}
		}
	}
	if got := fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s, s, s); got != strings.TrimSpace(strings.Repeat("[secret] ", 6)) {
		t.Errorf("got %s, want [secret] for every verb", got)
	}
	if got := fmt.Sprint(s) + s.String() + s.GoString(); got != "[secret][secret][secret]" {
		t.Errorf("got %s", got)
	}
}

func TestSecretDoesNotMarshal(t *testing.T) {
	h := newHolder()
	for name, marshal := range map[string]func(any) ([]byte, error){
		"json": json.Marshal,
		"yaml": yaml.Marshal,
		"flow": func(v any) ([]byte, error) { return yaml.MarshalWithOptions(v, yaml.Flow(true), yaml.JSON()) },
	} {
		for _, v := range []any{h, &h, h.Value, h.Pointer, h.List, h.Map} {
			got, err := marshal(v)
			if err != nil {
				t.Errorf("%s of %T: %v", name, v, err)
			}
			if leaks(string(got)) || !strings.Contains(string(got), "[secret]") {
				t.Errorf("%s of %T: %s", name, v, got)
			}
		}
	}
	if got, err := xml.Marshal(named{h.Value}); err != nil || leaks(string(got)) {
		t.Errorf("xml: %s, %v", got, err)
	}
}

func TestSecretIsNotLogged(t *testing.T) {
	h := newHolder()
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		log := slog.New(handler)
		log.Info("m", "s", h.Value, "p", h.Pointer, "l", h.List, "m", h.Map, "h", h, "hp", &h)
		log.With("s", h.Value).WithGroup("g").Info("m", slog.Any("h", h), slog.Group("x", "y", h.Value))
	}
	if got := out.String(); leaks(got) || strings.Count(got, "[secret]") < 8 {
		t.Errorf("logged: %s", got)
	}
}

// TestSecretIsBeyondReflection does what printers for debugging do, among them
// those that show how two values differ in a test: they go everywhere and ask
// no method.
func TestSecretIsBeyondReflection(t *testing.T) {
	if got := texts(reflect.ValueOf(newHolder())); leaks(strings.Join(got, " ")) {
		t.Errorf("reflection finds the secret among %q", got)
	}
	inside := struct{ deep *[]any }{&[]any{map[string]string{"k": canary}}}
	if got := texts(reflect.ValueOf(inside)); !leaks(strings.Join(got, " ")) {
		t.Errorf("the search finds only %q, want it to find the canary where it is", got)
	}
}

// texts returns every text that can be reached from v.
func texts(v reflect.Value) []string {
	var found []string
	switch v.Kind() {
	case reflect.String:
		return []string{v.String()}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return texts(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			found = append(found, texts(v.Field(i))...)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			found = append(found, texts(v.Index(i))...)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			found = append(append(found, texts(key)...), texts(v.MapIndex(key))...)
		}
	}
	return found
}

// leaks tells whether text has the canary in it, in any usual coding.
func leaks(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) ||
		strings.Contains(text, strings.Trim(fmt.Sprintf("%d", []byte(canary)), "[]"))
}

func TestSecretReveals(t *testing.T) {
	s := NewSecret(canary)
	if s.Reveal() != canary || s.IsZero() {
		t.Errorf("got %q, zero %v", s.Reveal(), s.IsZero())
	}
	for _, empty := range []Secret{{}, NewSecret("")} {
		if empty.Reveal() != "" || !empty.IsZero() {
			t.Errorf("empty: %q, zero %v", empty.Reveal(), empty.IsZero())
		}
	}
}

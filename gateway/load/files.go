package load

import (
	"encoding"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/lightlock/lightlock/config"
)

// WriteConfig writes a gateway's file and one for each connector into dir, with
// their secrets in files beside them, and returns the path of the first. It is
// the way back from what package config reads: keys are the yaml tags of the
// settings, and what is zero is left out.
func WriteConfig(dir string, c config.Config, connectors []config.Settings) (string, error) {
	c.Connectors = filepath.Join(dir, "connectors")
	path := filepath.Join(dir, "lightlock.yaml")
	if err := writeSettings(path, c); err != nil {
		return "", err
	}
	for _, s := range connectors {
		common := s.Common()
		if err := writeSettings(filepath.Join(c.Connectors, common.Channel+"-"+common.Name+".yaml"), s); err != nil {
			return "", err
		}
	}
	return path, nil
}

// writeSettings writes a file as JSON, which is YAML.
func writeSettings(path string, settings any) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	w := writer{base: strings.TrimSuffix(path, ".yaml")}
	object := w.object(reflect.Indirect(reflect.ValueOf(settings)))
	text, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for name, secret := range w.secrets {
		if err := os.WriteFile(name, []byte(secret), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(path, text, 0o600)
}

// writer turns settings into what JSON can say.
type writer struct {
	base    string            // of the names of the secrets' files
	secrets map[string]string // what goes into each
}

// object is a struct by its keys.
func (w *writer) object(v reflect.Value) map[string]any {
	out := map[string]any{}
	for i := range v.NumField() {
		field, key := v.Field(i), v.Type().Field(i).Tag.Get("yaml")
		name, inline, _ := strings.Cut(key, ",")
		switch {
		case inline == "inline":
			for k, value := range w.object(field) {
				out[k] = value
			}
		case name == "" || field.IsZero():
		case field.Type() == reflect.TypeFor[config.Secret](), field.Type() == reflect.TypeFor[config.Secrets]():
			out[name+"_file"] = w.value(field)
		default:
			out[name] = w.value(field)
		}
	}
	return out
}

func (w *writer) value(v reflect.Value) any {
	switch value := v.Interface().(type) {
	case config.Secret:
		return w.secret(value)
	case encoding.TextMarshaler:
		return value
	}
	switch v.Kind() {
	case reflect.Pointer:
		return w.value(v.Elem())
	case reflect.Struct:
		return w.object(v)
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = w.value(v.Index(i))
		}
		return list
	default:
		return v.Interface()
	}
}

// secret puts a secret into a file of its own.
func (w *writer) secret(s config.Secret) string {
	if w.secrets == nil {
		w.secrets = map[string]string{}
	}
	name := w.base + "." + strconv.Itoa(len(w.secrets)) + ".secret"
	w.secrets[name] = s.Reveal()
	return name
}

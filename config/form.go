package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// label is what may be part of an address, a Redis key and a metric.
var label = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// sha256Hex is a hash as files have it.
var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

var (
	secretType   = reflect.TypeFor[Secret]()
	secretsType  = reflect.TypeFor[Secrets]()
	bytesType    = reflect.TypeFor[Bytes]()
	durationType = reflect.TypeFor[Duration]()
)

// field is one key that a struct accepts.
type field struct {
	key   string
	index []int
	typ   reflect.Type
	rules rules
	why   string
}

func (f field) secret() bool { return f.typ == secretType || f.typ == secretsType }

// reason says why the key is wanted.
func (f field) reason() string {
	if f.why != "" {
		return f.why
	}
	return f.key + " is required"
}

// form is everything that a struct accepts, in the struct's order.
type form struct {
	fields []field
	names  []string // every key, with the _file twins of secrets
	byKey  map[string]int
}

// forms keeps the form of each struct that was met.
type forms map[reflect.Type]*form

// of returns the form of struct type t. An error means that the struct itself
// is wrong, for all files.
func (m forms) of(t reflect.Type) (*form, error) {
	if f := m[t]; f != nil {
		return f, nil
	}
	f := &form{byKey: map[string]int{}}
	if err := f.collect(t, nil); err != nil {
		return nil, err
	}
	m[t] = f
	for _, one := range f.fields {
		if err := m.decodable(one.typ); err != nil {
			return nil, fmt.Errorf("config: %s, key %s: %w", t, one.key, err)
		}
	}
	return f, nil
}

// decodable tells whether a value of type t can be filled from a file.
func (m forms) decodable(t reflect.Type) error {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		return nil
	case reflect.Pointer, reflect.Slice:
		if t == secretsType {
			return nil
		}
		if t.Elem() == secretType {
			return fmt.Errorf("use Secrets instead of %s", t)
		}
		return m.decodable(t.Elem())
	case reflect.Struct:
		if t == secretType {
			return nil
		}
		_, err := m.of(t)
		return err
	}
	return fmt.Errorf("a %s cannot be read from a file", t)
}

func (f *form) collect(t reflect.Type, above []int) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		name, options, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		index := append(append([]int{}, above...), i)
		if sf.Anonymous && options == "inline" && sf.Type.Kind() == reflect.Struct {
			if err := f.collect(sf.Type, index); err != nil {
				return err
			}
			continue
		}
		if !sf.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			return fmt.Errorf("config: %s.%s has no yaml key", t, sf.Name)
		}
		if err := f.add(field{key: name, index: index, typ: sf.Type, why: sf.Tag.Get("why")}, sf.Tag.Get("check")); err != nil {
			return fmt.Errorf("config: %s.%s: %w", t, sf.Name, err)
		}
	}
	return nil
}

func (f *form) add(one field, check string) error {
	var err error
	if one.rules, err = parseRules(check, one.typ); err != nil {
		return err
	}
	keys := []string{one.key}
	if one.secret() {
		keys = append(keys, one.key+fileSuffix)
	}
	for _, key := range keys {
		if _, taken := f.byKey[key]; taken {
			return fmt.Errorf("the key %q is there twice", key)
		}
		f.byKey[key] = len(f.fields)
		f.names = append(f.names, key)
	}
	f.fields = append(f.fields, one)
	return nil
}

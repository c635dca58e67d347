package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/invopop/jsonschema"
)

// Schema returns the JSON Schema (draft 2020-12) of a file that is decoded into
// v: a Config, or a channel's settings. Editors complete and check by it what
// Load checks again; limits of sizes and times, and what holds between keys,
// only Load knows.
func Schema(v any) ([]byte, error) {
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("config: the schema of a %s: only structs have one", t)
	}
	known := forms{}
	if _, err := known.of(t); err != nil {
		return nil, err
	}
	r := &jsonschema.Reflector{
		Anonymous:                  true,
		DoNotReference:             true,
		FieldNameTag:               "yaml",
		RequiredFromJSONSchemaTags: true,
		Mapper:                     schemaOf,
	}
	s := r.ReflectFromType(t)
	known.complete(s, t)
	return json.MarshalIndent(s, "", "  ")
}

// schemaOf is the schema of our own types, which are texts in YAML.
func schemaOf(t reflect.Type) *jsonschema.Schema {
	text := func(pattern string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: pattern}
	}
	switch t {
	case secretType:
		return text(variable.String())
	case secretsType:
		return oneOrMore(text(variable.String()))
	case bytesType:
		return text(`^[0-9]+(\.[0-9]+)?\s*(B|KB|MB|GB)$`)
	case durationType:
		return text(`^(([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+|[0-9]+(\.[0-9]+)?d)$`)
	}
	return nil
}

func oneOrMore(one *jsonschema.Schema) *jsonschema.Schema {
	least, most := uint64(1), uint64(maxSecrets)
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{one, {Type: "array", Items: one, MinItems: &least, MaxItems: &most}}}
}

// complete adds to the schema of struct t what its check tags say, and the
// _file twins of its secrets.
func (m forms) complete(s *jsonschema.Schema, t reflect.Type) {
	known, _ := m.of(t)
	for _, f := range known.fields {
		property, ok := s.Properties.Get(f.key)
		if !ok {
			continue
		}
		if f.secret() {
			addFileTwin(s, f, property)
			continue
		}
		f.rules.describe(property, f.typ)
		if f.rules.required && !hasDefault(t, f) {
			s.Required = append(s.Required, f.key)
		}
		inner, elem := property, f.typ
		for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice {
			if elem.Kind() == reflect.Slice {
				inner = inner.Items
			}
			elem = elem.Elem()
		}
		if elem.Kind() == reflect.Struct {
			m.complete(inner, elem)
		}
	}
}

// hasDefault tells whether a key may be left out although it is required,
// because Default fills it.
func hasDefault(t reflect.Type, f field) bool {
	return t == reflect.TypeFor[Config]() && !reflect.ValueOf(Default()).FieldByIndex(f.index).IsZero()
}

// addFileTwin adds x_file beside x, and that one of the two is there, never
// both.
func addFileTwin(s *jsonschema.Schema, f field, property *jsonschema.Schema) {
	path := &jsonschema.Schema{Type: "string"}
	twin := path
	if f.typ == secretsType {
		twin = oneOrMore(path)
	}
	name := f.key + fileSuffix
	twin.Description = "File that holds " + f.key + ", relative to this one."
	s.Properties.Set(name, twin)
	if property.Description != "" {
		property.Description += " "
	}
	property.Description += "An environment variable: ${NAME}."
	if f.rules.required {
		s.AllOf = append(s.AllOf, &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Required: []string{f.key}}, {Required: []string{name}}}})
	} else {
		s.AllOf = append(s.AllOf, &jsonschema.Schema{Not: &jsonschema.Schema{Required: []string{f.key, name}}})
	}
}

// describe adds the rules that JSON Schema has words for.
func (r rules) describe(s *jsonschema.Schema, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	each := s
	if t.Kind() == reflect.Slice {
		s.MinItems, s.MaxItems = length(r.min), length(r.max)
		each = s.Items
	}
	if r.label {
		each.Pattern = label.String()
	}
	if r.sha256 {
		each.Pattern = sha256Hex.String()
	}
	for _, value := range r.oneOf {
		each.Enum = append(each.Enum, value)
	}
	switch {
	case t == bytesType || t == durationType:
	case t.Kind() == reflect.String:
		s.MinLength, s.MaxLength = length(r.min), length(r.max)
	case t.Kind() != reflect.Slice && r.min != nil:
		s.Minimum = json.Number(r.min.text)
	}
	if r.max != nil && t.Kind() != reflect.Slice && t.Kind() != reflect.String && t != bytesType && t != durationType {
		s.Maximum = json.Number(r.max.text)
	}
	if r.required && t.Kind() == reflect.Slice && s.MinItems == nil {
		s.MinItems = length(&limit{1, strconv.Itoa(1)})
	}
}

func length(l *limit) *uint64 {
	if l == nil || l.value < 0 {
		return nil
	}
	n := uint64(l.value)
	return &n
}

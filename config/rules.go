package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// rules is a check tag, read.
type rules struct {
	required, label bool
	sha256          bool
	oneOf           []string
	min, max        *limit
}

// limit is one end of a range: what is compared, and how people write it.
type limit struct {
	value int64
	text  string
}

func parseRules(tag string, t reflect.Type) (rules, error) {
	var r rules
	if tag == "" {
		return r, nil
	}
	for rule := range strings.SplitSeq(tag, ",") {
		name, value, _ := strings.Cut(rule, "=")
		var err error
		switch name {
		case "required":
			r.required = true
		case "label":
			r.label = true
		case "sha256":
			r.sha256 = true
		case "oneof":
			r.oneOf = strings.Fields(value)
		case "min":
			r.min, err = parseLimit(value, t)
		case "max":
			r.max, err = parseLimit(value, t)
		default:
			err = fmt.Errorf("unknown rule %q in its check tag", name)
		}
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

func parseLimit(text string, t reflect.Type) (*limit, error) {
	var value int64
	var err error
	switch t {
	case bytesType:
		var b Bytes
		b, err = ParseBytes(text)
		value = int64(b)
	case durationType:
		var d Duration
		d, err = ParseDuration(text)
		value = int64(d)
	default:
		value, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil {
		return nil, fmt.Errorf("limit %q in its check tag: %w", text, err)
	}
	return &limit{value, text}, nil
}

// obey checks a value against the rules of its field's tag.
func (d *decoder) obey(s slot, at place, v reflect.Value) {
	r := s.rules
	empty := (v.Kind() == reflect.String || v.Kind() == reflect.Slice) && v.Len() == 0
	switch {
	case r.required && empty:
		d.report(at, s.path, s.path+": must not be empty", s.reason(), "add "+example(s.field))
	case r.label && v.Kind() == reflect.String && !label.MatchString(v.String()):
		d.report(at, s.path, fmt.Sprintf("%s: %s is not a name of 1 to 64 characters a-z, 0-9 and -", s.path, quote(v.String(), s.text)),
			"names are part of addresses, keys and metrics", "use small letters, digits and hyphens only")
	case r.sha256 && !sha256Hex.MatchString(v.String()):
		// It is not shown, because it may be the very text that should have been hashed.
		d.report(at, s.path, s.path+": not a SHA-256, which is 64 of 0-9 and a-f", s.reason(), "write the hash, in small letters")
	case len(r.oneOf) > 0 && v.Kind() == reflect.String && !slices.Contains(r.oneOf, v.String()):
		d.report(at, s.path, fmt.Sprintf("%s: %s is not one of %s", s.path, quote(v.String(), s.text), strings.Join(r.oneOf, ", ")),
			"nothing else is known here", choice(v.String(), r.oneOf))
	default:
		d.limits(s, at, v)
	}
}

// limits checks the limits of a value.
func (d *decoder) limits(s slot, at place, v reflect.Value) {
	size, noun := extent(v)
	small := s.rules.min != nil && size < float64(s.rules.min.value)
	large := s.rules.max != nil && size > float64(s.rules.max.value)
	if !small && !large {
		return
	}
	if noun == " entries" && s.rules.max == nil && s.rules.min.text == "1" {
		noun = " entry"
	}
	var bounds []string
	if s.rules.min != nil {
		bounds = append(bounds, "at least "+s.rules.min.text)
	}
	if s.rules.max != nil {
		bounds = append(bounds, "at most "+s.rules.max.text)
	}
	want := strings.Join(bounds, " and ") + noun
	what := "too small"
	switch {
	case noun != "" && small:
		what = "too short"
	case noun != "":
		what = "too long"
	case large:
		what = "too large"
	}
	why := s.why
	if why == "" {
		why = "outside these limits nothing works as it should"
	}
	d.report(at, s.path, fmt.Sprintf("%s: %s, wanted %s", s.path, what, want), why, "choose "+want)
}

// extent is what limits speak of: a number itself, or how long something is.
func extent(v reflect.Value) (size float64, noun string) {
	if secret, ok := v.Interface().(Secret); ok {
		return float64(utf8.RuneCountInString(secret.Reveal())), " characters"
	}
	switch {
	case v.Kind() == reflect.String:
		return float64(utf8.RuneCountInString(v.String())), " characters"
	case v.Kind() == reflect.Slice:
		return float64(v.Len()), " entries"
	case v.CanInt():
		return float64(v.Int()), ""
	case v.CanFloat():
		return v.Float(), ""
	}
	return 0, ""
}

func choice(text string, names []string) string {
	if meant := nearest(text, names); meant != "" {
		return "write " + meant
	}
	return "write one of " + strings.Join(names, ", ")
}

// example shows how a key is written.
func example(f field) string {
	switch {
	case f.secret():
		return fmt.Sprintf("%s: ${%s}, or %s%s: PATH", f.key, strings.ToUpper(f.key), f.key, fileSuffix)
	case f.typ.Kind() == reflect.Slice:
		return f.key + ": and below it one entry a line, each after \"- \""
	case len(f.rules.oneOf) > 0:
		return f.key + ": " + f.rules.oneOf[0]
	}
	return f.key + ": " + strings.ToUpper(f.key)
}

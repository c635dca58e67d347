package connectortest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"

	"github.com/lightlock/lightlock/connectors"
)

// document returns what stands in r's body, unpacked where the platform packs
// it.
func document(r *connectors.Request) []byte {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return r.Body
	}
	z, err := gzip.NewReader(bytes.NewReader(r.Body))
	if err != nil {
		return r.Body
	}
	doc, err := io.ReadAll(io.LimitReader(z, 64<<20))
	if err != nil {
		return r.Body
	}
	return doc
}

// with returns a copy of r with another document in its body, packed like r's.
func with(r *connectors.Request, doc []byte) *connectors.Request {
	changed := clone(r)
	changed.Body = doc
	if r.Header.Get("Content-Encoding") == "gzip" {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(doc)
		_ = z.Close()
		changed.Body = packed.Bytes()
	}
	return changed
}

// asForm returns a body's parameters if it is a form.
func asForm(body []byte) (url.Values, bool) {
	form, err := url.ParseQuery(string(body))
	return form, err == nil && !json.Valid(body)
}

// asJSON decodes a body, its numbers digit by digit.
func asJSON(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil {
		return nil, fmt.Errorf("the platform's body is neither JSON nor a form: %w", err)
	}
	return root, nil
}

// wordsPerValue times the number of values in two short webhooks is well over
// 200.
const wordsPerValue = 16

// strangers calls try with copies of a body in which one value is a word that no
// platform uses, each value many times.
func strangers(body []byte, try func(body []byte, word string) error) error {
	n := 0
	word := func() string { n++; return fmt.Sprintf("stranger%d", n) }
	if form, ok := asForm(body); ok {
		for _, key := range slices.Sorted(maps.Keys(form)) {
			old := form[key]
			for range wordsPerValue {
				w := word()
				form[key] = []string{w}
				if err := try([]byte(form.Encode()), w); err != nil {
					return err
				}
			}
			form[key] = old
		}
		return nil
	}
	return edits(body, func(set func(any) []byte) error {
		for range wordsPerValue {
			w := word()
			if err := try(set(w), w); err != nil {
				return err
			}
		}
		return nil
	})
}

// edits calls visit for every value in a JSON document; set returns the
// document with another value in its place.
func edits(body []byte, visit func(set func(any) []byte) error) error {
	root, err := asJSON(body)
	if err != nil {
		return err
	}
	return places(root, func(old any, put func(any)) error {
		defer put(old)
		return visit(func(v any) []byte { put(v); return mustJSON(root) })
	})
}

// places visits every member of every object and array below v.
func places(v any, visit func(old any, put func(any)) error) error {
	each := func(old any, put func(any)) error {
		return errors.Join(visit(old, put), places(old, visit))
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if err := each(v[key], func(n any) { v[key] = n }); err != nil {
				return err
			}
		}
	case []any:
		for i := range v {
			if err := each(v[i], func(n any) { v[i] = n }); err != nil {
				return err
			}
		}
	}
	return nil
}

func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was JSON a moment ago
	}
	return data
}

package connectortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/connectors"
)

// shapeChecks are about webhooks of another shape than this release knows.
func shapeChecks() []check {
	return []check{
		{"parse_cut", "a body cut at any length is Malformed, or gives complete events and no message", checkParseCut},
		{"parse_accounts", "two accounts' events in one call, or in two, are each their own account's", checkParseAccounts},
		{"parse_unknown", "an event of a type that nobody knows is Ignored", checkParseUnknown},
		{"parse_extra", "unknown fields, spacing and escapes make no difference", checkParseExtra},
	}
}

func checkParseCut(b *bench) error {
	requests, err := b.deliver(text("one"), withPhotos("two", picture(1)))
	if err != nil {
		return err
	}
	for _, r := range requests {
		doc := document(r)
		_, isForm := asForm(doc)
		for i := range doc {
			if bytes.Equal(bytes.TrimSpace(doc[:i]), bytes.TrimSpace(doc)) {
				continue // only blanks are missing
			}
			if err := readsCut(b.connector, with(r, doc[:i]), isForm); err != nil {
				return fmt.Errorf("body cut to %d of %d bytes: %w", i, len(doc), err)
			}
		}
		for i := range r.Body {
			packed := clone(r)
			packed.Body = packed.Body[:i]
			if len(doc) == len(r.Body) {
				break // it is not packed
			}
			if err := readsCut(b.connector, packed, isForm); err != nil {
				return fmt.Errorf("packed body cut to %d of %d bytes: %w", i, len(r.Body), err)
			}
		}
	}
	return nil
}

// readsCut parses a body of which the end is missing. What is left of a form may
// still be a message; what is left of a JSON document is none.
func readsCut(c connectors.Connector, r *connectors.Request, isForm bool) error {
	events, err := c.Parse(r)
	if err != nil {
		return wantKind(err, connectors.Malformed)
	}
	for _, e := range events {
		if err := complete(e); err != nil {
			return fmt.Errorf("%w in %s", err, show(events))
		}
		if e.Kind == connectors.Message && !isForm {
			return fmt.Errorf("got a message of it: %s", show(events))
		}
	}
	return nil
}

// checkParseAccounts makes a second account's call of the first one's by writing
// another id wherever the first one's stands. Where both fit into one call,
// because they differ in no more than the lists that they hold, one it is.
func checkParseAccounts(b *bench) error {
	said := []string{"one", "two"}
	requests, err := b.deliver(text(said[0]), text(said[1]))
	if err != nil {
		return err
	}
	first := b.settings.AccountList()[0].ID
	second := otherID(first)
	var calls []*connectors.Request
	for _, r := range requests {
		other := renamed(r, first, second)
		if both, ok := merged(document(r), document(other)); ok {
			calls = append(calls, with(r, both))
			continue
		}
		calls = append(calls, r, other)
	}
	events, err := parse(b.connector, calls)
	if err != nil {
		return err
	}
	got := map[string]int{}
	for _, e := range events {
		got[e.Account]++
	}
	if want := map[string]int{first: len(said), second: len(said)}; !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got accounts %v of two messages each, want %v:\n%s", got, want, show(events))
	}
	return nil
}

// renamed returns a copy of r that names another account.
func renamed(r *connectors.Request, old, id string) *connectors.Request {
	doc := string(document(r))
	doc = strings.ReplaceAll(doc, old, id)
	doc = strings.ReplaceAll(doc, url.QueryEscape(old), url.QueryEscape(id))
	changed := with(r, []byte(doc))
	for _, values := range changed.Header {
		for i := range values {
			values[i] = strings.ReplaceAll(values[i], old, id)
		}
	}
	return changed
}

// merged returns one document with the lists of both, if they differ in nothing
// else.
func merged(one, two []byte) ([]byte, bool) {
	a, err1 := asJSON(one)
	b, err2 := asJSON(two)
	objectA, ok1 := a.(map[string]any)
	objectB, ok2 := b.(map[string]any)
	if err1 != nil || err2 != nil || !ok1 || !ok2 {
		return nil, false
	}
	lists := 0
	for key, value := range objectA {
		listA, ok1 := value.([]any)
		listB, ok2 := objectB[key].([]any)
		switch {
		case ok1 && ok2:
			objectA[key] = slices.Concat(listA, listB)
			lists++
		case !reflect.DeepEqual(value, objectB[key]):
			return nil, false
		}
	}
	return mustJSON(objectA), lists > 0
}

// checkParseUnknown gives every value and every key of a call a name that nobody
// knows. One of them is the event's type.
func checkParseUnknown(b *bench) error {
	r, err := b.one()
	if err != nil {
		return err
	}
	ignored := 0
	err = unheardOf(document(r), func(doc []byte) error {
		for _, e := range calmly(b.connector, with(r, doc)) {
			if e.Kind == connectors.Ignored {
				ignored++
			}
		}
		return nil
	})
	if err == nil && ignored == 0 {
		err = errors.New("whatever is written in the place of the type, no event is Ignored")
	}
	return err
}

// unheardOf calls try with copies of a body in which one value or one key is a
// word that no platform uses.
func unheardOf(body []byte, try func([]byte) error) error {
	const word = "never_heard_of"
	if form, ok := asForm(body); ok {
		for _, key := range slices.Sorted(maps.Keys(form)) {
			changed := maps.Clone(form)
			changed[key] = []string{word}
			err := try([]byte(changed.Encode()))
			delete(changed, key)
			changed[word] = form[key]
			if err := errors.Join(err, try([]byte(changed.Encode()))); err != nil {
				return err
			}
		}
		return nil
	}
	if err := edits(body, func(set func(any) []byte) error { return try(set(word)) }); err != nil {
		return err
	}
	root, err := asJSON(body)
	if err != nil {
		return err
	}
	for _, o := range objects(root) {
		for _, key := range slices.Sorted(maps.Keys(o)) {
			o[word] = o[key]
			delete(o, key)
			err := try(mustJSON(root))
			o[key] = o[word]
			delete(o, word)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// objects returns every object in a document.
func objects(root any) []map[string]any {
	var list []map[string]any
	add := func(v any) {
		if o, ok := v.(map[string]any); ok {
			list = append(list, o)
		}
	}
	add(root)
	_ = places(root, func(old any, _ func(any)) error { add(old); return nil })
	return list
}

func checkParseExtra(b *bench) error {
	requests, err := b.deliver(text("a/b & ü"), withPhotos("two", picture(1), picture(2)))
	if err != nil {
		return err
	}
	for _, r := range requests {
		want, err := b.connector.Parse(r)
		if err != nil {
			return err
		}
		for name, doc := range dialects(document(r)) {
			got, err := b.connector.Parse(with(r, doc))
			if err != nil {
				return fmt.Errorf("a body with %s: %w", name, err)
			}
			if !reflect.DeepEqual(withoutRaw(got), withoutRaw(want)) {
				return fmt.Errorf("a body with %s: got\n%s\nwant\n%s", name, show(got), show(want))
			}
		}
	}
	return nil
}

// withoutRaw returns events without their raw text, which is another where the
// body is.
func withoutRaw(events []connectors.Event) []connectors.Event {
	list := slices.Clone(events)
	for i := range list {
		list[i].Raw = nil
	}
	return list
}

// dialects returns bodies that say the same as this one.
func dialects(body []byte) map[string][]byte {
	if form, ok := asForm(body); ok {
		form["NeverHeardOf"] = []string{"x"}
		return map[string][]byte{
			"an unknown field": []byte(form.Encode()),
			"other escapes":    bytes.ReplaceAll(body, []byte("+"), []byte("%20")),
		}
	}
	root, err := asJSON(body)
	if err != nil {
		return nil
	}
	all := map[string][]byte{"keys sorted": mustJSON(root), "unicode escaped": escaped(mustJSON(root))}
	var spaced bytes.Buffer
	if err := json.Indent(&spaced, body, "\r\n\t", "  "); err == nil {
		all["odd spacing"] = spaced.Bytes()
	}
	for _, o := range objects(root) {
		o["never_heard_of"] = map[string]any{"x": json.Number("9007199254740993"), "list": []any{nil, true}}
	}
	all["unknown fields"] = mustJSON(root)
	return all
}

// escaped returns a JSON document in which no character is outside ASCII, and
// slashes are escaped, as some encoders write it.
func escaped(doc []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(doc) {
		switch {
		case r == '/':
			out.WriteString(`\/`)
		case r < 0x80:
			out.WriteRune(r)
		case r > 0xFFFF:
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xD800+(r-0x10000)>>10, 0xDC00+(r-0x10000)&0x3FF)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}

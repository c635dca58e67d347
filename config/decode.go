package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder fills a struct from one document's keys. It never stops at a problem:
// each is reported, and the value stays as it was.
type decoder struct {
	doc    *document
	forms  forms
	places map[string]place // by path, where a value or its key stands
	bad    map[string]bool  // paths that have a problem already
	env    func(string) (string, bool)
	top    place // the first key
	// spared tells of which secrets nobody minds that they are not there.
	spared func(path string) bool
}

// slot is one value to fill: its path, its field, and the place of its key.
type slot struct {
	path string
	at   place
	text string // as it stands in the file, once that is known
	field
}

// decode fills into, a struct, from the keys of m; m may be nil.
func (d *decoder) decode(m *ast.MappingNode, into reflect.Value) {
	if m != nil {
		d.top = d.doc.start(m)
	}
	d.mapping(slot{at: d.top}, m, into)
}

// report adds a problem with the value at path.
func (d *decoder) report(at place, path, what, why, fix string) {
	d.bad[path] = true
	d.doc.report(at, what, why, fix)
}

// mapping fills a struct. Unknown keys are judged last, because what is missing
// tells what they were meant to be.
func (d *decoder) mapping(s slot, m *ast.MappingNode, into reflect.Value) {
	known, _ := d.forms.of(into.Type())
	seen := map[string]place{}
	var unknown []*ast.MappingValueNode
	if m != nil {
		for _, entry := range m.Values {
			if !d.entry(s, known, seen, entry, into) {
				unknown = append(unknown, entry)
			}
		}
	}
	for _, entry := range unknown {
		d.unknownKey(s, known, seen, entry, into)
	}
	if d.doc.partial && s.path == "" {
		return
	}
	for _, f := range known.fields {
		_, here := seen[f.key]
		_, inFile := seen[f.key+fileSuffix]
		if path := under(s.path, f.key); f.rules.required && !here && !inFile && !d.bad[path] && into.FieldByIndex(f.index).IsZero() {
			d.report(s.at, path, fmt.Sprintf("missing key %q", f.key), f.reason(), "add "+example(f))
		}
	}
}

// entry fills one key's field. It reports false if the key is not known.
func (d *decoder) entry(s slot, known *form, seen map[string]place, entry *ast.MappingValueNode, into reflect.Value) bool {
	name := entry.Key.GetToken()
	at, key := placeOf(name), keyText(entry.Key)
	if first, twice := seen[key]; twice && key != "" {
		d.doc.view.mask(d.doc.start(entry.Value))
		d.report(at, under(s.path, key), fmt.Sprintf("the key %s is there twice", quote(key, name.Origin)),
			fmt.Sprintf("it stands in line %d already, and only one can hold", first.line), "remove one of them")
		return true
	}
	if key != "" {
		seen[key] = at
	}
	i, ok := known.byKey[key]
	if !ok {
		return false
	}
	f := known.fields[i]
	child := slot{path: under(s.path, key), at: at, field: f}
	d.places[child.path] = at
	target := into.FieldByIndex(f.index)
	if f.secret() {
		d.places[under(s.path, f.key)] = at
		d.secretField(child, key, seen, entry.Value, target)
		return true
	}
	d.value(child, entry.Value, target)
	return true
}

// keyText returns a key that is a plain text, else "".
func keyText(key ast.MapKeyNode) string {
	if text, ok := key.(*ast.StringNode); ok {
		return text.Value
	}
	return ""
}

// unknownKey reports a key, with what it was probably meant to be.
func (d *decoder) unknownKey(s slot, known *form, seen map[string]place, entry *ast.MappingValueNode, into reflect.Value) {
	name := entry.Key.GetToken()
	if _, merge := entry.Key.(*ast.MergeKeyNode); merge {
		d.report(placeOf(name), under(s.path, "<<"), "the merge key << is not read here", "every value stands where it holds", "write the values out")
		return
	}
	d.doc.view.mask(d.doc.start(entry.Value))
	what := "unknown key " + quote(name.Value, name.Origin)
	meant := nearest(name.Value, unseen(known.names, seen))
	if meant == "" {
		d.doc.report(placeOf(name), what, "it has no effect, and something may be missing because of it",
			"remove it; known here: "+strings.Join(known.names, ", "))
		return
	}
	f := known.fields[known.byKey[meant]]
	why := "it has no effect"
	if f.rules.required && into.FieldByIndex(f.index).IsZero() {
		why = f.reason()
	}
	seen[meant] = placeOf(name)
	d.bad[under(s.path, meant)] = true
	d.report(placeOf(name), under(s.path, f.key), what, why, "rename it to "+meant)
}

// value fills anything but a secret.
func (d *decoder) value(s slot, node ast.Node, into reflect.Value) {
	node, ok := d.plain(s, node)
	if !ok {
		return
	}
	switch {
	case isNull(node):
		d.report(s.at, s.path, s.path+": nothing stands behind the key", "an empty value could mean anything", "write a value, or remove the key")
	case into.Kind() == reflect.Pointer:
		if into.IsNil() {
			into.Set(reflect.New(into.Type().Elem()))
		}
		d.value(s, node, into.Elem())
	case into.Kind() == reflect.Struct:
		d.structure(s, node, into)
	case into.Kind() == reflect.Slice:
		d.list(s, node, into)
	default:
		d.scalar(s, node, into)
	}
}

// plain strips what YAML can wrap around a value. Aliases are refused because a
// few of them can stand for a billion values; the others for want of use.
func (d *decoder) plain(s slot, node ast.Node) (ast.Node, bool) {
	var what string
	switch node.(type) {
	case *ast.AnchorNode:
		what = "an anchor (&)"
	case *ast.AliasNode:
		what = "an alias (*)"
	case *ast.TagNode:
		what = "a tag (!)"
	default:
		return node, true
	}
	d.report(d.at(s, node), s.path, s.path+": "+what+" is not read here", "every value stands where it holds",
		"write the value out, or in quotes if it is a text that begins so")
	return nil, false
}

func (d *decoder) structure(s slot, node ast.Node, into reflect.Value) {
	m := asMapping(node)
	if m == nil {
		d.mistyped(s, node, "keys and values", "write its keys below it, each indented")
		return
	}
	d.mapping(s, m, into)
}

func (d *decoder) list(s slot, node ast.Node, into reflect.Value) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		d.mistyped(s, node, "a list", "write each entry on a line of its own, after \"- \"")
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(sequence.Values), len(sequence.Values)))
	for i, entry := range sequence.Values {
		child := slot{path: fmt.Sprintf("%s[%d]", s.path, i), at: d.doc.start(entry), field: s.field}
		child.rules = rules{label: s.rules.label, oneOf: s.rules.oneOf}
		d.places[child.path] = child.at
		d.value(child, entry, into.Index(i))
	}
	d.obey(s, s.at, into)
}

// mistyped reports a value of the wrong type.
func (d *decoder) mistyped(s slot, node ast.Node, want, fix string) {
	if isScalar(node) {
		d.doc.view.reveal(node)
	} else {
		d.doc.view.mask(d.doc.start(node))
	}
	d.report(d.at(s, node), s.path, fmt.Sprintf("%s: wanted %s, got %s", s.path, want, describe(node)),
		"what was meant is never guessed", fix)
}

// at is the place of a value if it begins on its key's line, else the key's.
func (d *decoder) at(s slot, node ast.Node) place {
	if p := d.doc.start(node); p.line == s.at.line {
		return p
	}
	return s.at
}

// describe names a value for a message.
func describe(node ast.Node) string {
	t := node.GetToken()
	switch node := node.(type) {
	case *ast.StringNode:
		if t.Type == token.StringType && strings.Trim(node.Value, "0123456789") == "" {
			return "a number beyond all measure"
		}
		if text := quote(node.Value, t.Origin); text[0] != '"' {
			return text
		}
		return fmt.Sprintf("the text %q", node.Value)
	case *ast.LiteralNode:
		return "a text of several lines"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + strings.Trim(quote(t.Value, t.Origin), `"`)
	case *ast.BoolNode:
		return t.Value
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	}
	return "something else"
}

func isNull(node ast.Node) bool {
	_, null := node.(*ast.NullNode)
	return null
}

// under joins a path and a key.
func under(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// troubled tells whether the value at path, one around it or one inside it has
// a problem already.
func (d *decoder) troubled(path string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(d.bad)), func(bad string) bool {
		return bad == path || inside(path, bad) || inside(bad, path)
	})
}

// inside tells whether path lies in outer.
func inside(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// locate returns the place of path, or of the nearest thing around it: of what
// stands nowhere that of the first key.
func (d *decoder) locate(path string) place {
	for path != "" {
		if p, ok := d.places[path]; ok {
			return p
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return d.top
}

package agent_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/lightlock/lightlock/gateway/agent"
	"github.com/lightlock/lightlock/gateway/problem"
)

// object is a part of the document as JSON has it.
type object = map[string]any

func document(t testing.TB) object {
	t.Helper()
	text, err := agent.OpenAPIJSON()
	if err != nil {
		t.Fatal(err)
	}
	var d object
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// part walks down by keys.
func part(o object, keys ...string) object {
	for _, key := range keys {
		o, _ = o[key].(object)
	}
	return o
}

// each calls visit for every object of a part, with its place.
func each(place string, v any, visit func(place string, o object)) {
	switch v := v.(type) {
	case object:
		visit(place, v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			each(place+"/"+key, v[key], visit)
		}
	case []any:
		for i, item := range v {
			each(fmt.Sprintf("%s/%d", place, i), item, visit)
		}
	}
}

// operations calls visit for every operation.
func operations(d object, visit func(name string, path object, op object)) {
	for path, item := range part(d, "paths") {
		for _, method := range []string{"get", "head", "post", "put", "patch", "delete"} {
			if op := part(item.(object), method); op != nil {
				visit(strings.ToUpper(method)+" "+path, item.(object), op)
			}
		}
	}
}

// resolved follows a reference.
func resolved(d object, o object) object {
	ref, ok := o["$ref"].(string)
	if !ok {
		return o
	}
	return part(d, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
}

func TestTheDocumentIsValid(t *testing.T) {
	d, err := libopenapi.NewDocument(agent.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.BuildV3Model(); err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(d)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	defer v.Release()
	if ok, problems := v.ValidateDocument(); !ok {
		for _, p := range problems {
			t.Errorf("%s: %s %v", p.Message, p.Reason, p.SchemaValidationErrors)
		}
	}
}

func TestEveryOperationIsDescribed(t *testing.T) {
	d := document(t)
	names := map[string]string{}
	operations(d, func(name string, path, op object) {
		for _, key := range []string{"operationId", "summary", "description"} {
			if text, _ := op[key].(string); text == "" {
				t.Errorf("%s has no %s", name, key)
			}
		}
		id, _ := op["operationId"].(string)
		if other := names[id]; other != "" {
			t.Errorf("%s and %s have the same operationId", name, other)
		}
		names[id] = name
		lintAnswers(t, d, name, op)
		lintAsked(t, d, name, path, op)
	})
	if len(names) < 20 {
		t.Errorf("looked at %d operations", len(names))
	}
}

// lintAnswers: each has a good answer and says what can go wrong, in the words
// of RFC 9457, with an example of everything.
func lintAnswers(t *testing.T, d object, name string, op object) {
	t.Helper()
	var good, bad int
	for status, answer := range part(op, "responses") {
		a := resolved(d, answer.(object))
		if a["description"] == "" || a["description"] == nil {
			t.Errorf("%s: %s has no description", name, status)
		}
		if status < "400" {
			good++
		} else {
			bad++
		}
		for kind, content := range part(a, "content") {
			c := content.(object)
			if c["schema"] == nil {
				t.Errorf("%s: %s has no schema", name, status)
			}
			if c["example"] == nil && c["examples"] == nil && kind != "image/jpeg" && kind != "text/plain" {
				t.Errorf("%s: %s has no example", name, status)
			}
			if status >= "400" && status != "416" && kind != "application/problem+json" {
				t.Errorf("%s: %s is %s and no problem", name, status, kind)
			}
		}
	}
	if good == 0 || bad == 0 {
		t.Errorf("%s has %d good answers and %d problems", name, good, bad)
	}
	_, public := op["security"].([]any)
	if !public && part(op, "responses", "401") == nil {
		t.Errorf("%s does not say that one must sign in", name)
	}
}

func lintAsked(t *testing.T, d object, name string, path, op object) {
	t.Helper()
	if body := part(op, "requestBody", "content", "application/json"); body != nil {
		if body["example"] == nil && body["examples"] == nil {
			t.Errorf("%s has no example of its body", name)
		}
		if resolved(d, part(body, "schema"))["additionalProperties"] != false {
			t.Errorf("%s takes fields that nobody described", name)
		}
	}
	var all []any
	for _, from := range []object{path, op} {
		list, _ := from["parameters"].([]any)
		all = append(all, list...)
	}
	for _, p := range all {
		p := resolved(d, p.(object))
		if p["description"] == nil || p["example"] == nil || p["schema"] == nil {
			t.Errorf("%s: the parameter %v lacks its description, example or schema", name, p["name"])
		}
	}
}

// Whatever is described is used, and whatever is used is described.
func TestNothingIsLeftOver(t *testing.T) {
	d := document(t)
	used := map[string]bool{}
	each("#", d, func(place string, o object) {
		ref, ok := o["$ref"].(string)
		if !ok {
			return
		}
		used[ref] = true
		if resolved(d, o) == nil {
			t.Errorf("%s: there is no %s", place, ref)
		}
	})
	for _, kind := range []string{"schemas", "responses", "parameters"} {
		for name := range part(d, "components", kind) {
			if ref := "#/components/" + kind + "/" + name; !used[ref] {
				t.Errorf("nothing uses %s", ref)
			}
		}
	}
}

// Every field of every object has a type, and every required one is there.
func TestSchemasAreWhole(t *testing.T) {
	each("schemas", part(document(t), "components", "schemas"), func(place string, o object) {
		required, _ := o["required"].([]any)
		for _, name := range required {
			if part(o, "properties")[name.(string)] == nil {
				t.Errorf("%s requires %v and does not describe it", place, name)
			}
		}
		for name, p := range part(o, "properties") {
			p := p.(object)
			if p["type"] == nil && p["$ref"] == nil {
				t.Errorf("%s: %s has no type", place, name)
			}
		}
	})
}

// The document and the program know the same problems.
func TestEveryProblemIsListed(t *testing.T) {
	d := document(t)
	listed, _ := part(d, "components", "schemas", "Problem", "properties", "type")["enum"].([]any)
	var want []any
	for _, k := range problem.Kinds() {
		want = append(want, k.Type())
	}
	if !slices.Equal(listed, want) {
		t.Errorf("got  %v\nwant %v", listed, want)
	}
	each("", d, func(place string, o object) {
		kind, ok := o["type"].(string)
		if name, found := strings.CutPrefix(kind, "urn:lightlock:problem:"); ok && found {
			k := problem.Kind(name)
			if o["status"] != float64(k.Status()) || http.StatusText(k.Status()) == "" {
				t.Errorf("%s: the example of %s has the status %v", place, k, o["status"])
			}
		}
	})
}

// Every example is one: it fits the schema beside it.
func TestExamplesFit(t *testing.T) {
	d := document(t)
	found := 0
	each("", d, func(place string, o object) {
		schema := part(o, "schema")
		if schema == nil {
			return
		}
		var examples []any
		if e, ok := o["example"]; ok {
			examples = append(examples, e)
		}
		for _, e := range part(o, "examples") {
			examples = append(examples, e.(object)["value"])
		}
		for _, e := range examples {
			found++
			if err := fits(t, schema, e); err != nil {
				t.Errorf("%s: %v", place, err)
			}
		}
	})
	if found < 40 {
		t.Errorf("looked at %d examples", found)
	}
}

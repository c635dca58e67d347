package agent_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// strict is the document as the tests hold answers against it: a field that it
// does not describe is refused, because nobody meant to publish it.
func strict(t testing.TB) object {
	d := document(t)
	each("", part(d, "components", "schemas"), func(_ string, o object) {
		if _, ok := o["properties"].(object); ok && o["type"] == "object" {
			o["additionalProperties"] = false
		}
	})
	return d
}

// schemas compiles parts of the document once.
var schemas struct {
	sync.Mutex
	known map[string]*jsonschema.Schema
}

// fits holds a value against a schema of the document.
func fits(t testing.TB, schema object, value any) error {
	t.Helper()
	text, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	s := compiled(t, string(text))
	again, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(again))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func compiled(t testing.TB, text string) *jsonschema.Schema {
	t.Helper()
	schemas.Lock()
	defer schemas.Unlock()
	if s := schemas.known[text]; s != nil {
		return s
	}
	var schema any
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		t.Fatal(err)
	}
	d := strict(t)
	d["x-asked"] = schema
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("urn:openapi", any(d)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:openapi#/x-asked")
	if err != nil {
		t.Fatal(err)
	}
	if schemas.known == nil {
		schemas.known = map[string]*jsonschema.Schema{}
	}
	schemas.known[text] = s
	return s
}

// oracle holds whole answers against the document.
var oracle = sync.OnceValues(func() (validator.Validator, error) {
	text, err := json.Marshal(strict(&testing.B{}))
	if err != nil {
		return nil, err
	}
	d, err := libopenapi.NewDocument(text)
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(d)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return v, nil
})

// described fails the test if an answer is not as the document says.
func described(t testing.TB, r *http.Request, a *http.Response) {
	t.Helper()
	v, err := oracle()
	if err != nil {
		t.Fatal(err)
	}
	if ok, problems := v.ValidateHttpResponse(r, a); !ok {
		for _, p := range problems {
			t.Errorf("%s %s answered %d, not as described: %s: %s %v", r.Method, r.URL.Path, a.StatusCode, p.Message, p.Reason, p.SchemaValidationErrors)
		}
	}
}

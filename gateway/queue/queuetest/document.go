package queuetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lightlock/lightlock/gateway/queue"
)

// CheckDocument fails the test if the text is not a document as the published
// schemas describe it. It is stricter than they are: a field that they do not
// name is refused, because nobody meant to publish it.
func CheckDocument(t testing.TB, document []byte) {
	t.Helper()
	if err := Validate(document); err != nil {
		t.Errorf("document does not match its schema: %v\n%s", err, document)
	}
}

// Validate is CheckDocument for tests of the schemas themselves.
func Validate(document []byte) error { return validate(document, true) }

// ValidateAsReader checks a document as agents' software does that has today's
// schemas and lets pass what they do not name.
func ValidateAsReader(document []byte) error { return validate(document, false) }

func validate(document []byte, strict bool) error {
	var event struct {
		DataSchema string `json:"dataschema"`
		Type       string `json:"type"`
		Source     string `json:"source"`
		Subject    string `json:"subject"`
		Data       json.RawMessage
	}
	if err := check("urn:lightlock:schema:event:1", document, strict); err != nil {
		return err
	}
	if err := json.Unmarshal(document, &event); err != nil {
		return err
	}
	if !strict && !slices.Contains([]queue.DocumentType{
		queue.MessageReceived, queue.PhotoSettled, queue.MessageEdited, queue.MessageUnsent, queue.ConversationClosed,
	}, queue.DocumentType(event.Type)) {
		return nil // a type that this reader does not know
	}
	if err := check(event.DataSchema, event.Data, strict); err != nil {
		return err
	}
	var data struct{ Account, Conversation string }
	if err := json.Unmarshal(event.Data, &data); err != nil {
		return err
	}
	if data.Account != event.Source || data.Conversation != event.Subject ||
		event.DataSchema != queue.DocumentType(event.Type).Schema() {
		return fmt.Errorf("source, subject and dataschema are %q, %q, %q and do not fit type %q and data of %q, %q",
			event.Source, event.Subject, event.DataSchema, event.Type, data.Account, data.Conversation)
	}
	return nil
}

// check finds a schema by its name, as the schema of events tells readers to.
func check(urn string, text []byte, strict bool) error {
	schema, err := schemaOf(urn, strict)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// compiled are the schemas that were compiled so far: that takes a hundred times as
// long as a check.
// house: variable because tests of all packages check documents, and schemas never change
var compiled sync.Map

// schemaOf compiles a schema, once.
func schemaOf(urn string, strict bool) (*jsonschema.Schema, error) {
	type key struct {
		urn    string
		strict bool
	}
	if known, ok := compiled.Load(key{urn, strict}); ok {
		return known.(*jsonschema.Schema), nil
	}
	name := strings.TrimSuffix(strings.TrimPrefix(urn, "urn:lightlock:schema:"), ":1")
	file, err := fs.ReadFile(queue.Schemas(), strings.ReplaceAll(name, ":", ".")+".json")
	if err != nil {
		return nil, err
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	if strict {
		closeObjects(parsed)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(urn, parsed); err != nil {
		return nil, err
	}
	schema, err := compiler.Compile(urn)
	if err == nil {
		compiled.Store(key{urn, strict}, schema)
	}
	return schema, err
}

// closeObjects refuses what an object's schema does not name.
func closeObjects(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		for _, part := range s {
			closeObjects(part)
		}
		if _, lists := s["properties"].(map[string]any); lists && s["type"] == "object" {
			s["additionalProperties"] = false
		}
	case []any:
		for _, part := range s {
			closeObjects(part)
		}
	}
}

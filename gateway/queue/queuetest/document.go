package queuetest

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lightlock/lightlock/gateway/queue"
)

// CheckDocument fails the test if the text is not a document as the published
// schema of its type describes it.
func CheckDocument(t testing.TB, document []byte) {
	t.Helper()
	if err := Validate(document); err != nil {
		t.Errorf("document does not match its schema: %v\n%s", err, document)
	}
}

// Validate is CheckDocument for tests of the schema itself.
func Validate(document []byte) error {
	var head struct {
		Type queue.DocumentType `json:"type"`
	}
	if err := json.Unmarshal(document, &head); err != nil {
		return err
	}
	schema, err := compile(head.Type)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func compile(kind queue.DocumentType) (*jsonschema.Schema, error) {
	text, err := fs.ReadFile(queue.Schemas(), string(kind)+".json")
	if err != nil {
		return nil, err
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(kind.Schema(), parsed); err != nil {
		return nil, err
	}
	return compiler.Compile(kind.Schema())
}

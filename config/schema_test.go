package config

import (
	"bytes"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiled is the schema of v, ready to check YAML texts.
func compiled(t *testing.T, v any) func(text string) error {
	t.Helper()
	text, err := Schema(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) error {
		asJSON, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
}

func TestSchemaOfTheGateway(t *testing.T) {
	check := compiled(t, Config{})
	for _, good := range []string{goodGateway, "data: x", "work: {slots: 4, lease: 1h30m}", "work: {keep_letters: 30d}", "photos: {max_bytes: 10 MB, formats: [jpeg, webp]}",
		"redis: {address: a, password_file: x, durability: trusted}", "redis: {addresses: [a, b], cluster: true}", "services: [{name: a, token_file: x, queues: [b]}]"} {
		if err := check(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"lisen: x", "data: 4", "work: {slots: 0}", "work: {slots: 1025}", "work: {lease: 30}", "work: {lease: 10 parsecs}",
		"photos: {max_bytes: 10}", "photos: {max_bytes: 10 parsecs}", "photos: {formats: [heic]}", "photos: {formats: []}",
		"redis: {addresses: a}", "redis: {address: a, password: literal}", "redis: {address: a, password: '${A}', password_file: x}",
		"redis: {address: a, durability: memory}", "services: [{name: a, queues: [b]}]", "services: [{name: A, token_file: x, queues: [b]}]",
		"services: [{name: a, token_file: x, queues: []}]", "tls: {cert_file: a}"} {
		if err := check(bad); err == nil {
			t.Errorf("%s: passes", bad)
		}
	}
}

func TestSchemaOfAChannel(t *testing.T) {
	check := compiled(t, &lineSettings{})
	for _, good := range []string{goodLine, strings.Replace(goodLine, "${TEST_SECRET}", "[\"${A}\", \"${B}\"]", 1),
		strings.Replace(goodLine, "channel_secret: ${TEST_SECRET}", "channel_secret_file: [a, b]", 1)} {
		if err := check(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"channel: line", strings.Replace(goodLine, "${TEST_SECRET}", "literal", 1), goodLine + "more: 1",
		strings.Replace(goodLine, "acme", "Acme", 1), strings.Replace(goodLine, "id: U1", "id: 1", 1), goodLine + "ratio: 2"} {
		if err := check(bad); err == nil {
			t.Errorf("%s: passes", bad)
		}
	}
}

func TestSchemaDescribes(t *testing.T) {
	text, err := Schema(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"https://json-schema.org/draft/2020-12/schema"`, "Address for platforms and agents", "An environment variable: ${NAME}."} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the schema", want)
		}
	}
	if got, want := strings.Count(string(text), `"description"`), strings.Count(string(text), `"type"`)-strings.Count(string(text), `"items"`)-3; got < want {
		t.Errorf("%d descriptions for about %d keys", got, want)
	}
	if _, err := Schema(4); err == nil {
		t.Error("a number has a schema")
	}
}

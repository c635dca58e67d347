package wire

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestWord(t *testing.T) {
	for raw, want := range map[string]Word{
		`"a"`: "a", `"12"`: "12", `12`: "12", `-3`: "-3", `12345678901234567890123`: "12345678901234567890123", `"写"`: "写",
		`1.5`: "", `1e3`: "", `null`: "", `true`: "", `{}`: "", `["a"]`: "", `""`: "",
	} {
		var got struct {
			Word   Word `json:"word"`
			Beside int  `json:"beside"`
		}
		if err := json.Unmarshal([]byte(`{"word":`+raw+`,"beside":1}`), &got); err != nil || got.Word != want || got.Beside != 1 {
			t.Errorf("%s: got %+v, %v, want %q", raw, got, err, want)
		}
	}
}

func TestNewEvent(t *testing.T) {
	a, b := NewEvent("1", json.RawMessage(`{"x":1}`)), NewEvent("1", json.RawMessage(`{"x":1}`))
	if a.ID != b.ID || a.ID == "" || a.Account != "1" || string(a.Raw) != `{"x":1}` || a.Kind != "" {
		t.Errorf("got %+v, want the same ID for the same bytes", a)
	}
	if c := NewEvent("1", json.RawMessage(`{"x":2}`)); c.ID == a.ID {
		t.Errorf("got the same ID %s for other bytes", c.ID)
	}
}

func TestOptional(t *testing.T) {
	type part struct {
		ID    string `json:"id"`
		Count int    `json:"count"`
	}
	tests := []struct {
		raw  string
		want []part
	}{
		{`[{"id":"a","count":1}]`, []part{{"a", 1}}},
		{`[5,{"id":"a","count":"1"}]`, []part{{}, {"a", 0}}},
		{`{"id":"a"}`, nil},
		{`"a"`, nil},
		{`null`, nil},
		{`[]`, []part{}},
	}
	for _, test := range tests {
		var got struct {
			Beside Optional[[]part] `json:"beside"`
			Text   string           `json:"text"`
		}
		if err := json.Unmarshal([]byte(`{"beside":`+test.raw+`,"text":"x"}`), &got); err != nil || got.Text != "x" {
			t.Errorf("%s: got %+v, %v, want the text beside it", test.raw, got, err)
		}
		if !reflect.DeepEqual(got.Beside.Value, test.want) {
			t.Errorf("%s: got %+v, want %+v", test.raw, got.Beside.Value, test.want)
		}
	}
}

func TestLabel(t *testing.T) {
	for kind, want := range map[string]string{"a": "a", "b": "b", "c": "other", "": "other", "A": "other"} {
		if got := Label(kind, "other", "a", "b"); got != want {
			t.Errorf("%q: got %q, want %q", kind, got, want)
		}
	}
}

// TestOptionalText: a text is what it means, however it is written.
func TestOptionalText(t *testing.T) {
	for raw, want := range map[string]string{
		`"a b"`: "a b", `""`: "", `"a\"b"`: `a"b`, `"\u00e9\n"`: "é\n", `"é写"`: "é写", `"\ud83d\udcf7"`: "📷", "\"a\xff\"": "a\ufffd",
		`"\\"`: `\`, `5`: "", `null`: "", `["a"]`: "", `{"a":"b"}`: "", `true`: "",
	} {
		var got struct {
			Text   Optional[string] `json:"text"`
			Beside int              `json:"beside"`
		}
		if err := json.Unmarshal([]byte(`{"text":`+raw+`,"beside":1}`), &got); err != nil || got.Text.Value != want || got.Beside != 1 {
			t.Errorf("%s: got %+v, %v, want %q", raw, got, err, want)
		}
	}
}

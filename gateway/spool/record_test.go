package spool

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// filled sets every field of a struct, also those that nobody has thought of yet.
func filled(t *testing.T, into any) {
	t.Helper()
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Type() == reflect.TypeFor[time.Time]():
			f.Set(reflect.ValueOf(time.UnixMilli(1e12).UTC()))
		case f.Type() == reflect.TypeFor[[]byte]():
			f.SetBytes([]byte("any \x00\n\xff bytes"))
		case f.Kind() == reflect.String:
			f.SetString("text of " + v.Type().Field(i).Name)
		case f.CanInt():
			f.SetInt(int64(i) + 1)
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		default:
			t.Fatalf("field %s of %T: this test cannot fill a %s", v.Type().Field(i).Name, into, f.Type())
		}
	}
}

// What is handed in is exactly what the journal would have got.
func TestNothingOfAnEventIsLostInARecord(t *testing.T) {
	var i queue.Item
	var l queue.Letter
	filled(t, &i)
	filled(t, &l)
	l.DiedAt = time.Time{}     // set when it is read
	i.ReceivedAt = time.Time{} // the record's own, set when it is handed in
	before := contents{
		items:   []queue.Item{i, {Kind: queue.ItemClose, Key: "k", Party: "p", Payload: []byte{}}, i},
		letters: []queue.Letter{l, {Key: "k", Raw: []byte{}}},
	}
	body, err := before.pack()
	if err != nil {
		t.Fatal(err)
	}
	after, err := unpack(body)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(after, before) {
		t.Errorf("got  %+v\nwant %+v", after, before)
	}
}

func TestABodyThatDoesNotAddUpIsRefused(t *testing.T) {
	whole, err := contents{items: []queue.Item{item("a")}}.pack()
	if err != nil {
		t.Fatal(err)
	}
	for what, body := range map[string][]byte{
		"nothing":          nil,
		"no JSON":          []byte("x\n"),
		"shorter":          whole[:len(whole)-1],
		"longer":           append(bytes.Clone(whole), 'x'),
		"negative":         []byte(`{"items":[{"bytes":-1}]}` + "\n"),
		"beyond an int":    []byte(`{"items":[{"bytes":9223372036854775807},{"bytes":9223372036854775807}]}` + "\n"),
		"no first line":    []byte(`{"items":[{"bytes":1}]}`),
		"of another shape": []byte(`[]` + "\n"),
	} {
		if c, err := unpack(body); err == nil {
			t.Errorf("%s: got %+v, want an error", what, c)
		}
	}
}

// FuzzUnpack: whatever a file holds, reading it ends and takes no more memory
// than the file.
func FuzzUnpack(f *testing.F) {
	body, _ := contents{items: []queue.Item{item("a")}, letters: []queue.Letter{{Key: "k", Raw: []byte("raw")}}}.pack()
	m := marker{1, 2, 3, 4, 5, 6, 7, 8}
	f.Add(appendRecord(packSegment(m), m, time.UnixMilli(1), body))
	f.Add(append(appendRecord(packSegment(m), m, time.UnixMilli(1), body)[:100], appendRecord(nil, m, time.UnixMilli(2), body)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := bytes.NewReader(data)
		m, at, err := readHead(file, int64(len(data)))
		if err != nil {
			return
		}
		w := walker{file: file, marker: m, at: min(at, int64(len(data))), end: int64(len(data))}
		for {
			before := w.at
			p, err := w.next()
			if err != nil {
				break
			}
			if p.from != before || p.to <= p.from || p.to > w.end {
				t.Fatalf("from %d: got %d to %d of %d", before, p.from, p.to, w.end)
			}
			if p.kind == whole {
				_, _ = unpack(p.body)
			}
		}
	})
}

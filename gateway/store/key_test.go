package store

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestPhotoID(t *testing.T) {
	for _, k := range []Key{
		{Queue: "acme", Attempt: attemptA},
		{Queue: "-", Attempt: attemptB, Photo: 9},
		{Queue: strings.Repeat("z", 64), Attempt: attemptB, Photo: 99},
	} {
		got, err := ParsePhotoID(k.PhotoID())
		if err != nil || got != k {
			t.Errorf("%s: got %+v, %v, want %+v", k.PhotoID(), got, err, k)
		}
	}
	if got, want := (Key{Queue: "acme", Attempt: attemptA, Photo: 7, Kind: Preview}).PhotoID(), "acme."+attemptA+".7"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// strangeIDs are no photo ids.
func strangeIDs() []string {
	return []string{
		"", ".", "..", "...", "acme", "acme." + attemptA, "acme." + attemptA + ".",
		"." + attemptA + ".0", "acme.." + attemptA + ".0", "acme." + attemptA + ".0.", "acme." + attemptA + ".0\n",
		"acme." + attemptA + ".00", "acme." + attemptA + ".01", "acme." + attemptA + ".100", "acme." + attemptA + ".-1", "acme." + attemptA + ".+1",
		"acme." + attemptA + ".٣", "acme." + attemptA[1:] + ".0", "acme.0" + attemptA + ".0", "acme." + strings.ToUpper(attemptA) + ".0",
		"Acme." + attemptA + ".0", strings.Repeat("z", 65) + "." + attemptA + ".0",
		"../etc." + attemptA + ".0", "..." + attemptA + ".0", "a/b." + attemptA + ".0", "a%2fb." + attemptA + ".0", "a\\b." + attemptA + ".0", "a\x00." + attemptA + ".0",
		".unfinished." + attemptA + ".0", "acme./" + attemptA[1:] + ".0", " acme." + attemptA + ".0",
	}
}

func TestStrangePhotoIDs(t *testing.T) {
	for _, id := range strangeIDs() {
		if k, err := ParsePhotoID(id); err == nil {
			t.Errorf("%q: got %+v, want an error", id, k)
		} else if len(id) > 3 && strings.Contains(err.Error(), id) {
			t.Errorf("%q: the error repeats it: %v", id, err)
		}
	}
}

func FuzzParsePhotoID(f *testing.F) {
	f.Add(key().PhotoID())
	for _, id := range strangeIDs() {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		k, err := ParsePhotoID(id)
		if err != nil {
			return
		}
		k.Kind = Preview
		if k.PhotoID() != id || k.check() != nil {
			t.Errorf("%q: two ids of one photo, or one of none: %+v", id, k)
		}
		if where := filepath.Join(folder(k.Queue, k.Attempt), k.file()); !filepath.IsLocal(where) || strings.Count(where, "/") != 3 {
			t.Errorf("%q leads to %q", id, where)
		}
	})
}

func TestKeysThatNameNothing(t *testing.T) {
	f, dir := open(t)
	tests := map[string]func(*Key){
		"no queue":           func(k *Key) { k.Queue = "" },
		"queue upwards":      func(k *Key) { k.Queue = ".." },
		"queue with slash":   func(k *Key) { k.Queue = "a/b" },
		"queue unfinished":   func(k *Key) { k.Queue = unfinished },
		"queue absolute":     func(k *Key) { k.Queue = "/etc" },
		"attempt upwards":    func(k *Key) { k.Attempt = "../" + attemptA[3:] },
		"attempt too short":  func(k *Key) { k.Attempt = "0" },
		"attempt upper-case": func(k *Key) { k.Attempt = strings.ToUpper(attemptA) },
		"photo negative":     func(k *Key) { k.Photo = -1 },
		"photo too large":    func(k *Key) { k.Photo = 100 },
		"no kind":            func(k *Key) { k.Kind = "" },
		"kind upwards":       func(k *Key) { k.Kind = "/../../../../x" },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			k := key()
			spoil(&k)
			if err := f.Put(t.Context(), k, []byte("picture")); err == nil {
				t.Error("Put took it")
			}
			if _, err := get(t, f, k); err == nil {
				t.Error("Get took it")
			}
			if checkAttempt(k.Queue, k.Attempt) != nil && f.DeleteAttempt(t.Context(), k.Queue, k.Attempt) == nil {
				t.Error("DeleteAttempt took it")
			}
		})
	}
	if found, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(found) != 2 {
		t.Errorf("in the folder: got %v, %v, want %s and %s alone", found, err, lockFile, unfinished)
	}
	wantNoRests(t, dir)
}

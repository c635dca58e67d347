package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// fileSuffix makes of a secret's key the key of its file.
const fileSuffix = "_file"

// variable is the only form in which a secret's own key may be given.
var variable = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]{0,255})\}$`)

// secretField fills a Secret or Secrets from an environment variable or a file.
func (d *decoder) secretField(s slot, key string, seen map[string]place, node ast.Node, into reflect.Value) {
	other := s.key
	if key == s.key {
		other += fileSuffix
	}
	if first, both := seen[other]; both {
		d.report(s.at, s.path, fmt.Sprintf("both %s and %s", s.key, s.key+fileSuffix),
			fmt.Sprintf("%s stands in line %d, and only one can hold", other, first.line), "remove one of them")
		return
	}
	node, ok := d.plain(s, node)
	if !ok {
		return
	}
	nodes := []ast.Node{node}
	if list, isList := node.(*ast.SequenceNode); isList && s.typ == secretsType {
		nodes = list.Values
		if len(nodes) == 0 || len(nodes) > maxSecrets {
			d.report(s.at, s.path, fmt.Sprintf("%s: wanted 1 to %d entries", s.path, maxSecrets),
				"more than two are never in use at a time", "keep the ones that are valid")
			return
		}
	}
	d.places[strings.TrimSuffix(s.path, key)+s.key] = d.at(s, node)
	var values Secrets
	for _, one := range nodes {
		if value, ok := d.secret(s, key != s.key, one); ok {
			values = append(values, value)
		}
	}
	switch {
	case d.bad[s.path] || len(values) == 0:
		d.bad[s.path], d.bad[strings.TrimSuffix(s.path, fileSuffix)] = true, true
	case s.typ == secretsType:
		into.Set(reflect.ValueOf(values))
	default:
		into.Set(reflect.ValueOf(values[0]))
		d.limits(s, d.at(s, node), into)
	}
}

// secret reads one value: a variable's name, or a file's path.
func (d *decoder) secret(s slot, file bool, node ast.Node) (Secret, bool) {
	text, ok := textOf(node)
	at := d.at(s, node)
	if p := d.doc.start(node); p.line != s.at.line && isScalar(node) {
		at = p
	}
	switch {
	case isNull(node):
		d.report(s.at, s.path, s.path+": nothing stands behind the key", s.reason(), "write "+example(s.field))
	case !ok && isScalar(node):
		d.literal(s, at)
	case !ok:
		d.doc.view.mask(d.doc.start(node))
		d.report(at, s.path, s.path+": wanted a single value", "what was meant is never guessed", "write "+example(s.field))
	case file:
		return d.secretFile(s, at, node, text)
	case variable.MatchString(text):
		d.doc.view.reveal(node)
		return d.secretVariable(s, at, variable.FindStringSubmatch(text)[1])
	default:
		d.literal(s, at)
	}
	return Secret{}, false
}

// literal reports a secret that stands in the file.
func (d *decoder) literal(s slot, at place) {
	d.report(at, s.path, s.path+": a secret stands in the file itself", "files are copied, shared and committed; the whole value must be a variable",
		"put it into the environment or a file, and write "+example(s.field))
}

func (d *decoder) secretVariable(s slot, at place, name string) (Secret, bool) {
	value, set := d.env(name)
	value = strings.TrimRight(value, "\r\n")
	if value != "" {
		return NewSecret(value), true
	}
	state := "not set"
	if set {
		state = "empty"
	}
	d.absent(s, at, fmt.Sprintf("the environment variable %s is %s", name, state),
		fmt.Sprintf("set %s for this program, or write %s%s: PATH", name, s.key, fileSuffix))
	return Secret{}, false
}

// absent reports a secret that is not where the file says, unless it is spared:
// then nothing is reported that comes of it either.
func (d *decoder) absent(s slot, at place, what, fix string) {
	if d.bad[s.path] = true; !d.spared(s.path) {
		d.report(at, s.path, s.path+": "+what, s.reason(), fix)
	}
}

// secretFile shows the path only where a file is there: what looks like the
// path of none may be a secret under the wrong key.
func (d *decoder) secretFile(s slot, at place, node ast.Node, path string) (Secret, bool) {
	var what string
	resolved := d.doc.resolve(path)
	data, err := readRegular(resolved, maxSecretBytes)
	if _, missing := os.Stat(resolved); missing == nil {
		d.doc.view.reveal(node)
	}
	text := strings.TrimRight(string(data), "\r\n")
	switch {
	case path == "":
		what = "no file is named"
	case errors.Is(err, fs.ErrNotExist):
		what = "the file does not exist"
	case errors.Is(err, fs.ErrPermission):
		what = "the file may not be read by this program"
	case errors.Is(err, errNotRegular):
		what = "this is not a regular file"
	case err != nil:
		what = "the file cannot be read"
	case len(data) > maxSecretBytes:
		what = "the file is larger than 64 KB"
	case text == "":
		what = "the file is empty"
	default:
		return NewSecret(text), true
	}
	d.absent(s, at, what, "write the secret, and nothing else, into that file; its path is relative to "+d.doc.dir)
	return Secret{}, false
}

// resolve makes a path of the file absolute or relative to the working
// directory.
func (d *document) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.dir, path)
}

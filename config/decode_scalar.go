package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// scalar fills a text, a number, a switch, a size or a time.
func (d *decoder) scalar(s slot, node ast.Node, into reflect.Value) {
	var ok bool
	switch {
	case into.Type() == bytesType:
		ok = d.bytes(s, node, into)
	case into.Type() == durationType:
		ok = d.duration(s, node, into)
	case into.Kind() == reflect.String:
		ok = d.text(s, node, into)
	case into.Kind() == reflect.Bool:
		ok = d.boolean(s, node, into)
	case into.CanInt():
		ok = d.integer(s, node, into)
	default:
		ok = d.float(s, node, into)
	}
	if ok {
		if !s.rules.sha256 || sha256Hex.MatchString(into.String()) {
			d.doc.view.reveal(node)
		}
		d.places[s.path] = d.at(s, node)
		s.text = node.GetToken().Origin
		d.obey(s, d.at(s, node), into)
	}
}

func (d *decoder) text(s slot, node ast.Node, into reflect.Value) bool {
	text, ok := textOf(node)
	switch {
	case !ok && isScalar(node) && len(s.rules.oneOf) > 0:
		d.mistyped(s, node, "a text", choice(node.GetToken().Value, s.rules.oneOf))
		return false
	case !ok && isScalar(node):
		d.mistyped(s, node, "a text", fmt.Sprintf("put it in quotes: %q", node.GetToken().Value))
		return false
	case !ok:
		d.mistyped(s, node, "a text", "write a single value")
		return false
	case strings.HasPrefix(text, "${"):
		d.doc.view.reveal(node)
		d.report(d.at(s, node), s.path, s.path+": a variable stands where no secret does",
			"variables are read for secrets only, so that the file shows all the rest", "write the value itself")
		return false
	}
	into.SetString(text)
	return true
}

func (d *decoder) boolean(s slot, node ast.Node, into reflect.Value) bool {
	b, ok := node.(*ast.BoolNode)
	if !ok {
		d.mistyped(s, node, "true or false", "write true or false, without quotes")
		return false
	}
	into.SetBool(b.Value)
	return true
}

func (d *decoder) integer(s slot, node ast.Node, into reflect.Value) bool {
	number, ok := node.(*ast.IntegerNode)
	if !ok {
		d.mistyped(s, node, "a whole number", "write digits only, without quotes")
		return false
	}
	n, err := strconv.ParseInt(number.GetToken().Value, 10, 64)
	if err != nil || into.OverflowInt(n) {
		d.mistyped(s, node, "a whole number", "write it in decimal digits, "+strconv.Itoa(into.Type().Bits())+" bits at most")
		return false
	}
	into.SetInt(n)
	return true
}

func (d *decoder) float(s slot, node ast.Node, into reflect.Value) bool {
	switch node.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		if n, err := strconv.ParseFloat(node.GetToken().Value, 64); err == nil {
			into.SetFloat(n)
			return true
		}
	}
	d.mistyped(s, node, "a number", "write a number such as 0.5, without quotes")
	return false
}

func (d *decoder) bytes(s slot, node ast.Node, into reflect.Value) bool {
	text, ok := measureOf(node)
	if !ok {
		d.mistyped(s, node, "a size", `write a number and a unit, such as "10 MB"`)
		return false
	}
	size, err := ParseBytes(text)
	if err != nil {
		d.mismeasured(s, node, err, sizeFix(text, err), "1 MB = 1,048,576 bytes; a size without its unit can be read in four ways")
		return false
	}
	into.SetInt(int64(size))
	return true
}

// sizeFix completes or corrects the unit as far as it is clear what was meant.
func sizeFix(text string, err error) string {
	parts := measure.FindStringSubmatch(text)
	if errors.Is(err, ErrNoUnit) {
		return fmt.Sprintf("write %s B, or a number of KB, MB or GB", parts[1])
	}
	if errors.Is(err, ErrUnknownUnit) {
		unit := strings.ToUpper(parts[2][:1]) + "B"
		if lower := strings.ToLower(parts[2]); slices.Contains([]string{"k", "kb", "kib", "m", "mb", "mib", "g", "gb", "gib"}, lower) {
			return fmt.Sprintf("write %s %s", parts[1], unit)
		}
	}
	return `write a number and one of B, KB, MB, GB, such as "10 MB"`
}

func (d *decoder) duration(s slot, node ast.Node, into reflect.Value) bool {
	const fix = `write a number and one of ms, s, m, h, d, such as "30s", "1h30m" or "30d"`
	text, ok := measureOf(node)
	if !ok {
		d.mistyped(s, node, "a time", fix)
		return false
	}
	t, err := ParseDuration(text)
	if err != nil {
		exact := fix
		if errors.Is(err, ErrNoUnit) {
			exact = fmt.Sprintf("write %ss for seconds, %sm for minutes, %sh for hours", text, text, text)
		}
		d.mismeasured(s, node, err, exact, "a time without a unit that is known could be seconds or hours")
		return false
	}
	into.SetInt(int64(t))
	return true
}

// mismeasured reports a size or time whose unit or number cannot be read.
func (d *decoder) mismeasured(s slot, node ast.Node, err error, fix, why string) {
	d.doc.view.reveal(node)
	t := node.GetToken()
	d.report(d.at(s, node), s.path, fmt.Sprintf("%s: %s %s", s.path, quote(t.Value, t.Origin), err), why, fix)
}

// measureOf returns the text of what may be a size or a time; a bare number is
// one whose unit was forgotten.
func measureOf(node ast.Node) (string, bool) {
	switch node.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode:
		return node.GetToken().Value, true
	}
	return "", false
}

// textOf returns the text of a text.
func textOf(node ast.Node) (string, bool) {
	switch node := node.(type) {
	case *ast.StringNode:
		return node.Value, true
	case *ast.LiteralNode:
		return node.Value.Value, true
	}
	return "", false
}

func isScalar(node ast.Node) bool {
	_, ok := node.(ast.ScalarNode)
	return ok
}

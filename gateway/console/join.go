package console

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The page's scripts are ES modules of a size to be read, and a browser that
// fetched each of them would wait for thirty answers. So they are joined when the
// gateway starts: one behind the other, in one scope, which is why two modules may
// not give the same name to two things at their top. Only a module that is imported
// whole becomes a function that is called once and returns what it exports.
// Nothing is rewritten but the lines that say import and export, and nothing has to
// be built.
var (
	namedImport = regexp.MustCompile(`(?m)^import (\{[^}]*\}) from '\./([a-z]+)\.js';\n`)
	wholeImport = regexp.MustCompile(`(?m)^import \* as ([a-z]+) from '\./([a-z]+)\.js';\n`)
	exported    = regexp.MustCompile(`(?m)^export ((?:async )?(?:function|const|class) ([A-Za-z0-9_$]+))`)
	leftOver    = regexp.MustCompile(`(?m)^(?:import|export)\b.*$`)
)

// joiner puts modules together, each behind those that it needs.
type joiner struct {
	sources map[string]string
	apart   string
	done    map[string]bool // false: under way
	whole   map[string]bool // those that stay together under their name
	out     strings.Builder
}

// join makes one script of a module and all that it imports. What another script
// needs, too, stays apart, and is imported by both. How the names at the top of
// each module are kept from meeting, the browser says: a second one is an error.
func join(sources map[string]string, entry, apart string) (string, error) {
	j := &joiner{sources: sources, apart: apart, done: map[string]bool{apart: true}, whole: map[string]bool{}}
	for _, source := range sources {
		for _, found := range wholeImport.FindAllStringSubmatch(source, -1) {
			if found[1] != found[2] {
				return "", fmt.Errorf("%s.js is imported as %s", found[2], found[1])
			}
			j.whole[found[2]] = true
		}
	}
	for name, source := range sources {
		for _, found := range namedImport.FindAllStringSubmatch(source, -1) {
			if j.whole[found[2]] || strings.Contains(found[1], " as ") {
				return "", fmt.Errorf("%s.js: %s.js is imported whole elsewhere, or by another name", name, found[2])
			}
		}
	}
	if err := j.add(entry); err != nil {
		return "", err
	}
	return j.out.String(), nil
}

func (j *joiner) add(name string) error {
	if done, seen := j.done[name]; done {
		return nil
	} else if seen {
		return fmt.Errorf("%s.js imports itself by way of others", name)
	}
	source, ok := j.sources[name]
	if !ok {
		return fmt.Errorf("%s.js is imported and not there", name)
	}
	j.done[name] = false
	for _, pattern := range []*regexp.Regexp{namedImport, wholeImport} {
		for _, found := range pattern.FindAllStringSubmatch(source, -1) {
			if err := j.add(found[2]); err != nil {
				return err
			}
		}
	}
	if err := j.write(name, source); err != nil {
		return fmt.Errorf("%s.js: cannot be joined: %w", name, err)
	}
	j.done[name] = true
	return nil
}

// write adds a module's text, in which all that it imports is there already.
func (j *joiner) write(name, source string) error {
	var names, apart []string
	for _, found := range exported.FindAllStringSubmatch(source, -1) {
		names = append(names, found[2])
	}
	source = namedImport.ReplaceAllStringFunc(source, func(line string) string {
		if namedImport.FindStringSubmatch(line)[2] == j.apart {
			apart = append(apart, line)
		}
		return ""
	})
	source = exported.ReplaceAllString(wholeImport.ReplaceAllString(source, ""), "$1")
	if line := leftOver.FindString(source); line != "" {
		return errors.New(line)
	}
	if j.whole[name] {
		source = fmt.Sprintf("const %s = (() => {\n%sreturn { %s };\n})();\n", name, source, strings.Join(names, ", "))
	}
	j.out.WriteString(strings.Join(apart, "") + source)
	return nil
}

package config

import (
	"fmt"
	"reflect"
	"regexp"

	"golang.org/x/text/language"
)

// placeholder is what stands for something else in a notice's text, or was meant
// to.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// check finds what would reach a consumer as it was not meant. path is that of
// the notices, such as "accounts[0].notices".
func (n Notices) check(path string) []Finding {
	found := badLanguage(path+".language", n.Language)
	languages := map[string]int{}
	for i, set := range n.Texts {
		at := fmt.Sprintf("%s.texts[%d]", path, i)
		found = append(found, badLanguage(at+".language", set.Language)...)
		if first, twice := languages[set.Language]; twice && set.Language != "" {
			found = append(found, Finding{at + ".language", fmt.Sprintf("the same language as texts[%d]", first),
				"only the first set would be used", "put both into one set"})
		} else {
			languages[set.Language] = i
		}
		found = append(found, set.check(at)...)
	}
	return found
}

// check finds placeholders that stand for nothing.
func (t NoticeTexts) check(path string) []Finding {
	var found []Finding
	v := reflect.ValueOf(t)
	for i := range v.NumField() {
		for _, name := range placeholder.FindAllString(v.Field(i).String(), -1) {
			if name != "{limit}" && name != "{formats}" {
				found = append(found, Finding{path + "." + v.Type().Field(i).Tag.Get("yaml"), "a placeholder that stands for nothing",
					"consumers would read it as it is", "write {limit} or {formats}, or no braces"})
				break
			}
		}
	}
	return found
}

func badLanguage(path, tag string) []Finding {
	if _, err := language.Parse(tag); tag == "" || err == nil {
		return nil
	}
	return []Finding{{path, "not a language that anybody has registered", "a text is chosen by it",
		"write its code, such as en, de or pt-BR"}}
}

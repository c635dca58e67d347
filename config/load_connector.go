package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// connector is a connector's file with what was decoded from it.
type connector struct {
	*decoder
	settings Settings
}

// connector reads one connector's file. It returns nil where not even the
// channel can be told.
func (l *loader) connector(path string) *connector {
	doc, err := openDocument(path)
	if err != nil {
		doc = &document{name: path}
		l.decoder(doc).report(place{}, "", "the file cannot be read", "every file in this folder is a connector", "make it a regular file that this program may read, or move it away")
		return nil
	}
	d := l.decoder(doc)
	m := doc.parse()
	if m == nil && doc.partial {
		return nil
	}
	channel := l.channelOf(m, path)
	prototype := l.channels[channel]
	if prototype == nil {
		d.onlyCommon(m, l.names())
		return nil
	}
	c := &connector{decoder: d, settings: prototype()}
	d.decode(m, reflect.ValueOf(c.settings).Elem())
	if named := c.settings.Common().Channel; named != "" && l.channels[named] == nil {
		d.unknownChannel(named, l.names())
	}
	d.findings(c.settings.Common().check())
	d.findings(checkAccounts(c.settings.AccountList()))
	d.findings(c.settings.Check())
	return c
}

func (l *loader) names() []string { return slices.Sorted(maps.Keys(l.channels)) }

// channelOf returns the channel that the file names. Where we have none of that
// name it guesses, so that the other problems in the file are found in the same
// run: at a name that is nearly right, then by the file's own name.
func (l *loader) channelOf(m *ast.MappingNode, path string) string {
	named := ""
	if m != nil {
		for _, entry := range m.Values {
			if keyText(entry.Key) == "channel" {
				named, _ = textOf(entry.Value)
			}
		}
	}
	if l.channels[named] != nil {
		return named
	}
	if meant := nearest(named, l.names()); meant != "" {
		return meant
	}
	stem, _, _ := strings.Cut(filepath.Base(path), ".")
	for _, name := range l.names() {
		if strings.HasPrefix(stem, name) {
			return name
		}
	}
	return ""
}

// onlyCommon decodes what every connector has, where the channel is not known.
// No key is called unknown, because each may be that channel's.
func (d *decoder) onlyCommon(m *ast.MappingNode, channels []string) {
	var common struct {
		Connector `yaml:",inline"`
	}
	kept := &ast.MappingNode{}
	if m != nil {
		known, _ := d.forms.of(reflect.TypeOf(common))
		kept = ast.Mapping(m.Start, m.IsFlowStyle)
		for _, entry := range m.Values {
			if _, ok := known.byKey[keyText(entry.Key)]; ok {
				kept.Values = append(kept.Values, entry)
			}
		}
	}
	if len(kept.Values) == 0 {
		kept = nil
	}
	d.decode(kept, reflect.ValueOf(&common).Elem())
	if common.Channel != "" {
		d.unknownChannel(common.Channel, channels)
	}
}

func (d *decoder) unknownChannel(name string, channels []string) {
	what := "no channel of that name here"
	if label.MatchString(name) {
		what = fmt.Sprintf("no channel %q here", name)
	}
	d.findings([]Finding{{"channel", what,
		"the channel says which keys the rest of the file may have", choice(name, channels)}})
}

// check returns what is wrong with the part that all connectors share.
func (c *Connector) check() []Finding {
	if c.APIBase == "" {
		return nil
	}
	u, what := webAddress(c.APIBase)
	switch {
	case what != "":
	case c.AllowPrivateAddresses:
		return nil
	case u.Scheme != "https":
		what = "not https"
	case privateHost(u.Hostname()):
		what = "not a public host"
	default:
		return nil
	}
	return []Finding{{"api_base", what, "tokens are sent to this address",
		"write https and a public host name, or, for a simulated platform only, set allow_private_addresses: true"}}
}

// checkAccounts finds what accounts of one connector must not have in common.
func checkAccounts(accounts []Account) []Finding {
	var found []Finding
	ids, names := map[string]int{}, map[string]int{}
	for i, a := range accounts {
		path := fmt.Sprintf("accounts[%d]", i)
		if first, twice := ids[a.ID]; twice && a.ID != "" {
			found = append(found, Finding{path + ".id", fmt.Sprintf("the same id as accounts[%d]", first),
				"an event's account must be one", "remove one of the two, or correct its id"})
		}
		if first, twice := names[a.Name]; twice && a.Name != "" {
			found = append(found, Finding{path + ".name", fmt.Sprintf("the same name as accounts[%d]", first),
				"logs and metrics tell accounts apart by it", "give each a name of its own"})
		}
		if a.Name == "" && len(accounts) > 1 {
			found = append(found, Finding{path + ".name", "no name", "with several accounts, logs and metrics tell them apart by it",
				"add name: NAME"})
		}
		found = append(found, a.Notices.check(path+".notices")...)
		if _, twice := ids[a.ID]; !twice {
			ids[a.ID] = i
		}
		if _, twice := names[a.Name]; !twice {
			names[a.Name] = i
		}
	}
	return found
}

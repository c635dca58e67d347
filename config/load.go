package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Loaded is a configuration that is right, as far as the files can tell.
type Loaded struct {
	// Config has its paths resolved: they are absolute, or relative to the
	// working directory.
	Config Config
	// Connectors are in the order of their files' names.
	Connectors []Settings
	// Agents are those of the file that Config names, if any.
	Agents []LocalAgent
	// Path is the gateway's file, and Files the number of all that were read.
	Path  string
	Files int
}

// loader holds what the files of one configuration share.
type loader struct {
	channels   Prototypes
	look       bool // to look only, which needs few of the secrets
	forms      forms
	documents  []*document
	connectors []*connector
	// local is the file of local agents; nil where there is none.
	local       *decoder
	localAgents *AgentsFile
}

// Load reads the gateway's file at path, every .yaml and .yml file in the folder of
// connectors that it names, and the file of local agents if it names one. Hidden
// files are left alone.
//
// The error is a *Problems when the files are wrong, with all that is wrong
// with any of them; otherwise the system's, when path itself cannot be read,
// or one about a struct whose tags make no sense.
func Load(path string, channels Prototypes) (*Loaded, error) {
	return (&loader{channels: channels, forms: forms{}}).load(path)
}

// LoadToLook is Load for those who look at what a gateway works on, and neither
// call a platform nor are called. A secret of a connector, or a service's token,
// or the issuer's, that is not in the environment or cannot be read from its file is
// no problem, and empty: an operator at a shell need not have them. Those of Redis and of the
// store are wanted as ever.
func LoadToLook(path string, channels Prototypes) (*Loaded, error) {
	return (&loader{channels: channels, look: true, forms: forms{}}).load(path)
}

func (l *loader) load(path string) (*Loaded, error) {
	if err := l.learn(); err != nil {
		return nil, err
	}
	doc, err := openDocument(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the configuration %s does not exist: %w", path, err)
	case err != nil:
		return nil, fmt.Errorf("the configuration %s cannot be read: %w", path, err)
	}
	loaded := &Loaded{Config: Default(), Path: path}
	gateway := l.gateway(doc, &loaded.Config)
	l.folder(gateway, loaded)
	l.agents(gateway, &loaded.Config)
	if l.localAgents != nil {
		loaded.Agents = l.localAgents.Agents
	}
	l.together(gateway, loaded)
	loaded.Files = len(l.documents)
	if problems := l.problems(); problems != nil {
		return nil, problems
	}
	return loaded, nil
}

// learn meets every struct before any file, so that a wrong tag is found at
// the first start of a program and not at the first typing error.
func (l *loader) learn() error {
	types := []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[AgentsFile]()}
	for _, prototype := range l.channels {
		types = append(types, reflect.TypeOf(prototype()).Elem())
	}
	for _, t := range types {
		if _, err := l.forms.of(t); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) decoder(doc *document) *decoder {
	l.documents = append(l.documents, doc)
	return &decoder{doc: doc, forms: l.forms, places: map[string]place{}, bad: map[string]bool{}, env: os.LookupEnv,
		spared: func(string) bool { return l.look }}
}

// gateway decodes and checks the gateway's own file.
func (l *loader) gateway(doc *document, into *Config) *decoder {
	d := l.decoder(doc)
	d.spared = func(path string) bool {
		return l.look && (strings.HasPrefix(path, "services[") || strings.HasPrefix(path, "agents."))
	}
	d.decode(doc.parse(), reflect.ValueOf(into).Elem())
	if _, named := d.places["data"]; named {
		into.Data = doc.resolve(into.Data)
	}
	if into.Spool.Folder != "" {
		into.Spool.Folder = doc.resolve(into.Spool.Folder)
	}
	into.Connectors = doc.resolve(into.Connectors)
	if into.Agents.File != "" {
		into.Agents.File = doc.resolve(into.Agents.File)
	}
	if into.Agents.OIDC != nil {
		into.Agents.OIDC.CAFile = doc.resolve(into.Agents.OIDC.CAFile)
	}
	if into.TLS != nil {
		into.TLS.CertFile = doc.resolve(into.TLS.CertFile)
		into.TLS.KeyFile = doc.resolve(into.TLS.KeyFile)
	}
	if into.Store.S3 != nil {
		into.Store.S3.CAFile = doc.resolve(into.Store.S3.CAFile)
	}
	if into.Redis != nil && into.Redis.Durability == "" {
		into.Redis.Durability = "fsync"
	}
	d.findings(into.check())
	return d
}

// findings reports what checks have found, but nothing about a value that has a
// problem already.
func (d *decoder) findings(list []Finding) {
	troubled := map[string]bool{}
	for _, f := range list {
		troubled[f.Path] = d.troubled(f.Path)
	}
	for _, f := range list {
		if !troubled[f.Path] {
			d.report(d.locate(f.Path), f.Path, f.Path+": "+f.What, f.Why, f.Fix)
		}
	}
}

// folder reads the connectors' files.
func (l *loader) folder(gateway *decoder, loaded *Loaded) {
	if gateway.bad["connectors"] {
		return
	}
	names, err := connectorFiles(loaded.Config.Connectors)
	_, named := gateway.places["connectors"]
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return
	case errors.Is(err, fs.ErrNotExist):
		gateway.findings([]Finding{{"connectors", "there is no such folder", "what is named and missing is never passed over",
			"make it, or name another; the path is relative to this file"}})
		return
	case err != nil:
		gateway.findings([]Finding{{"connectors", "the folder cannot be read", "every connector has a file in it",
			"make it a folder that this program may read"}})
		return
	case len(names) > maxFiles:
		gateway.findings([]Finding{{"connectors", fmt.Sprintf("more than %d files in the folder", maxFiles), "so many connectors are a mistake",
			"check that this is the right folder"}})
		return
	}
	for _, name := range names {
		if c := l.connector(filepath.Join(loaded.Config.Connectors, name)); c != nil {
			l.connectors = append(l.connectors, c)
			loaded.Connectors = append(loaded.Connectors, c.settings)
		}
	}
}

// connectorFiles lists the files that count, by name.
func connectorFiles(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// problems returns all that was found, or nil.
func (l *loader) problems() error {
	all := &Problems{Files: len(l.documents)}
	for _, doc := range l.documents {
		all.List = append(all.List, doc.problems...)
	}
	if len(all.List) == 0 {
		return nil
	}
	slices.SortStableFunc(all.List, inOrder)
	return all
}

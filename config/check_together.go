package config

import (
	"fmt"
	"maps"
	"slices"
)

// together checks what only all files at once can show.
func (l *loader) together(gateway *decoder, loaded *Loaded) {
	if len(l.connectors) > 0 && loaded.Config.PublicURL == "" && !gateway.doc.partial && !gateway.bad["public_url"] {
		gateway.report(gateway.top, "public_url", `missing key "public_url"`, "signatures cover the address, and it is never guessed",
			"add public_url: https://HOST, the address under which the platforms reach this gateway")
	}
	l.strangeQueues(gateway, loaded.Config.Services)
	l.sameName()
	if !gateway.bad["photos.memory"] {
		l.tooLarge(loaded.Config.Photos)
	}
}

// tooLarge reports accounts whose photos do not fit into the gateway's memory.
func (l *loader) tooLarge(photos GatewayPhotos) {
	for _, c := range l.connectors {
		for i, a := range c.settings.AccountList() {
			c.findings(photos.tooLarge(AccountKey(i, "photos.max_bytes"), a.Photos.MaxBytes))
		}
	}
}

// sameName reports connectors that would share a webhook.
func (l *loader) sameName() {
	first := map[string]*connector{}
	for _, c := range l.connectors {
		common := c.settings.Common()
		name := common.FullName()
		before := first[name]
		switch {
		case common.Channel == "" || common.Name == "" || c.troubled("name") || c.troubled("channel"):
		case before == nil:
			first[name] = c
		default:
			c.findings([]Finding{{"name", fmt.Sprintf("%s is in %s already", name, before.doc.name),
				"both would have the same webhook", "give one of them another name"}})
		}
	}
}

// strangeQueues reports queues of services that no account puts anything into.
// It stays silent while there are no connectors, or some account could not be
// read, which may name them.
func (l *loader) strangeQueues(gateway *decoder, services []Service) {
	queues := map[string]bool{}
	for _, c := range l.connectors {
		if c.doc.partial || c.troubled("accounts") {
			return
		}
		for _, a := range c.settings.AccountList() {
			queues[a.Queue] = true
		}
	}
	if len(l.connectors) == 0 || len(l.connectors) != len(l.documents)-1 {
		return
	}
	known := slices.Sorted(maps.Keys(queues))
	for i, s := range services {
		for j, q := range s.Queues {
			if queues[q] {
				continue
			}
			gateway.findings([]Finding{{fmt.Sprintf("services[%d].queues[%d]", i, j), fmt.Sprintf("no account has the queue %q", q),
				"the service would wait for photos for ever", choice(q, known[:min(len(known), 20)]) + ", or give an account this queue"}})
		}
	}
}

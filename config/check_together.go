package config

import "fmt"

// together checks what only all files at once can show.
func (l *loader) together(gateway *decoder, loaded *Loaded) {
	if len(l.connectors) > 0 && loaded.Config.PublicURL == "" && !gateway.doc.partial && !gateway.bad["public_url"] {
		gateway.report(gateway.top, "public_url", `missing key "public_url"`, "signatures cover the address, and it is never guessed",
			"add public_url: https://HOST, the address under which the platforms reach this gateway")
	}
	l.strangeQueues(gateway, &loaded.Config)
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

// strangeQueues reports queues of services and agents that no account puts
// anything into.
func (l *loader) strangeQueues(gateway *decoder, c *Config) {
	files := len(l.documents) - 1
	if l.local != nil {
		files--
	}
	known := l.queues(files)
	for i, s := range c.Services {
		gateway.strangeQueues(fmt.Sprintf("services[%d].queues", i), s.Queues, known, "the service would wait for photos for ever")
	}
	if c.Agents.OIDC != nil {
		gateway.strangeQueues("agents.oidc.queues", c.Agents.OIDC.Queues, known, "agents would wait for conversations for ever")
	}
	if l.local != nil {
		l.local.strangeAgents(l.localAgents, known)
	}
}

package config

import (
	"fmt"
	"net/url"
	"regexp"
)

// Agents says how the people are known who answer consumers: from a file of the
// operator's, from an OIDC issuer, or both. Without either only services get in.
type Agents struct {
	// File names the local agents; empty means none. It is read again when it
	// changes.
	File string `yaml:"file" jsonschema_description:"File of the local agents, relative to this one. It is read again when it changes."`
	// Session is how long a browser stays signed in, counted from its sign-in.
	Session Duration `yaml:"session" check:"min=1m,max=30d" why:"nobody stays signed in for ever" jsonschema_description:"How long a browser stays signed in, counted from its sign-in. Unless set, 12h."`
	// OIDC is an issuer that vouches for agents; nil means none.
	OIDC *OIDC `yaml:"oidc" jsonschema_description:"An OpenID Connect issuer that vouches for agents."`
}

// OIDC is an OpenID Connect issuer, whose word on who is who counts.
type OIDC struct {
	// Issuer is the issuer's name, an address below which its discovery document
	// is found.
	Issuer   string `yaml:"issuer" check:"required" why:"its word says who is calling" jsonschema_description:"The issuer's name as it stands in its tokens: an https address, below which /.well-known/openid-configuration is found."`
	ClientID string `yaml:"client_id" check:"required" why:"a token that was made for another program is none here" jsonschema_description:"Name of this gateway at the issuer."`
	// ClientSecret is for signing in on the console; without it the issuer's
	// tokens are taken as bearers only.
	ClientSecret Secret `yaml:"client_secret" jsonschema_description:"Secret that belongs to client_id. It is needed to sign in on the console; without it, only bearer tokens are taken."`
	// Audience is for whom bearer tokens must have been made; empty means
	// ClientID.
	Audience string `yaml:"audience" jsonschema_description:"For whom bearer tokens must have been made. Unless set, client_id."`
	// QueuesClaim names the claim that lists an agent's queues, and Queues are
	// those of everybody the issuer vouches for. One of the two is set.
	QueuesClaim string   `yaml:"queues_claim" check:"max=256" jsonschema_description:"The claim that lists an agent's queues."`
	Queues      []string `yaml:"queues" check:"label,max=1000" jsonschema_description:"Queues of everybody that the issuer vouches for, in place of queues_claim."`
	// NameClaim names the claim with the agent's name; empty means name.
	NameClaim string `yaml:"name_claim" check:"max=256" jsonschema_description:"The claim with the agent's name. Unless set, name."`
	// Scopes are asked for at a sign-in on the console; none means openid and
	// profile.
	Scopes []string `yaml:"scopes" check:"min=1,max=32" jsonschema_description:"What is asked for at a sign-in on the console. Unless set, openid and profile."`
	// CAFile holds certificates, PEM, that are trusted beside the system's.
	CAFile string `yaml:"ca_file" jsonschema_description:"Certificates that are trusted beside the system's, PEM, for an issuer with an authority of its own."`
	// Proxy is the address of an HTTP proxy. The environment's is never used.
	Proxy string `yaml:"proxy" jsonschema_description:"Address of an HTTP proxy on the way to the issuer, http://HOST:PORT. The environment's is not used."`
}

// AgentsFile is the file of the local agents.
type AgentsFile struct {
	// Agents may be empty, but the key is wanted: a file that is being written is
	// no order to sign everybody out.
	Agents []LocalAgent `yaml:"agents" check:"max=2000" jsonschema_description:"The local agents."`
}

// LocalAgent is an agent by the operator's own word.
type LocalAgent struct {
	// ID is for ever: conversations are assigned to it.
	ID string `yaml:"id" check:"required,max=64" why:"conversations are assigned to it" jsonschema_description:"Name by which conversations are assigned; never give it to somebody else. 1 to 64 letters, digits and . _ - @ +."`
	// Name is what others see; empty means ID.
	Name string `yaml:"name" check:"max=128" jsonschema_description:"What other agents see. Unless set, the id."`
	// TokenSHA256 is the SHA-256 of the agent's token in hex. The token has 256
	// random bits, so that no slower hash would protect it better.
	TokenSHA256 string `yaml:"token_sha256" check:"required,sha256" why:"the agent signs in with the token, and only its hash is kept: lightlock agent token makes both" jsonschema_description:"SHA-256 of the agent's token in hex, as lightlock agent token prints it."`
	// Queues are those whose conversations the agent may see and take.
	Queues []string `yaml:"queues" check:"required,label,max=1000" why:"an agent sees the conversations of the queues it names, and no others" jsonschema_description:"Queues whose conversations the agent may see and take."`
}

var agentID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]*$`)

// checkAgents finds what the tags of Agents cannot say.
func (c *Config) checkAgents() []Finding {
	o := c.Agents.OIDC
	if o == nil {
		return nil
	}
	found := missingFile("agents.oidc.ca_file", o.CAFile)
	found = append(found, o.checkIssuer()...)
	if u, what := webAddress(o.Proxy); o.Proxy != "" && (what != "" || u.Path != "") {
		found = append(found, Finding{"agents.oidc.proxy", "not the address of a proxy", "the issuer could not be asked", "write it like http://proxy.example.com:3128"})
	}
	if (o.QueuesClaim == "") == (len(o.Queues) == 0) {
		found = append(found, Finding{"agents.oidc.queues", "wanted exactly one of queues_claim and queues",
			"an agent without queues sees nothing, and two answers are one too many", "write queues_claim: lightlock_queues, or list the queues"})
	}
	if !o.ClientSecret.IsZero() && c.PublicURL == "" {
		found = append(found, Finding{"agents.oidc.client_secret", "public_url is not set",
			"after a sign-in the issuer sends browsers back to that address", "add public_url: https://HOST, and register https://HOST" + OIDCReturn + " with the issuer"})
	}
	return found
}

// OIDCReturn is the path to which the issuer sends browsers back, below the public
// address.
const OIDCReturn = "/v1/session/oidc/callback"

func (o *OIDC) checkIssuer() []Finding {
	u, what := webAddress(o.Issuer)
	switch {
	case what != "":
	case !safeFor(u):
		what = "not https"
	default:
		return nil
	}
	return []Finding{{"agents.oidc.issuer", what, "whoever can answer in the issuer's place can be any agent",
		"write it like https://login.example.com, exactly as the issuer itself does; http is for loopback hosts only"}}
}

// SafeAddress tells whether an address is absolute, and what is asked of it cannot
// be heard on the way.
func SafeAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Hostname() != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http") && safeFor(u)
}

// safeFor tells whether what is asked of an address cannot be heard on the way.
func safeFor(u *url.URL) bool { return u.Scheme == "https" || loopback(u.Hostname()) }

// check finds what the tags of LocalAgent cannot say. services are those of the
// gateway, whose tokens are their own.
func (f *AgentsFile) check(services []Service) []Finding {
	var found Findings
	ids, hashes := map[string]string{}, map[string]string{}
	for i, s := range services {
		if !s.Token.IsZero() {
			hashes[TokenHash(s.Token.Reveal())] = fmt.Sprintf("services[%d]", i)
		}
	}
	for i, a := range f.Agents {
		path := fmt.Sprintf("agents[%d]", i)
		found.Unless(agentID.MatchString(a.ID), path+".id", "not made of letters, digits and . _ - @ +", "it is part of addresses and logs",
			"write a short name such as ben, or an e-mail address")
		found.unlike(ids, a.ID, Finding{path + ".id", path, "conversations would belong to both", "give each an id of its own"})
		found.unlike(hashes, a.TokenSHA256, Finding{path + ".token_sha256", path, "the token says who is calling", "run lightlock agent token for a token of its own"})
	}
	return found
}

// unlike notes a value that somebody before has, too. What of the finding is who
// has it now.
func (f *Findings) unlike(before map[string]string, value string, what Finding) {
	first, twice := before[value]
	f.Unless(!twice || value == "", what.Path, "the same as of "+first, what.Why, what.Fix)
	if !twice {
		before[value] = what.What
	}
}

// Package connectors is the contract between Lightlock and the messaging
// platforms: what a channel must be able to do, what it hands over, and how it
// says that something went wrong.
//
// A connector translates and nothing more. Whether a photo is too large, how
// often a fetch is tried, where a message goes and what is stored is decided by
// the gateway, the same way for every channel. Each sentence below is checked
// for each channel by the suite in connectors/connectortest.
package connectors

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/lightlock/lightlock/config"
)

// Connector speaks one platform's language for one webhook. It holds no state
// that changes, so every method may be called from many goroutines at once.
type Connector interface {
	// Verify reports whether the platform itself sent r. It looks at the exact
	// bytes received, does no I/O, and returns an error of kind Unauthentic for
	// any doubt: a missing, repeated, malformed or wrong signature.
	Verify(r *Request) error

	// Parse translates a verified request into events, in the order in which
	// the platform lists them. It is pure: the same body gives the same events
	// with the same IDs, whatever its headers, which are not kept with a body
	// that is to be parsed once more. One event that cannot be read becomes a Broken event
	// and leaves its neighbours alone; an error of kind Malformed means that
	// not even the envelope could be read.
	Parse(r *Request) ([]Event, error)

	// Fetch opens the original of a photo that Parse has found. The stream ends
	// with io.EOF only when it is complete; how much of it may be read is the
	// caller's decision. References are resolved afresh at every call, so a
	// later try does not depend on an address that has expired meanwhile. Each
	// host is called only after AskHost has allowed it, whose error is passed
	// on, and an error of a host that failed itself is Down.
	Fetch(ctx context.Context, p Photo) (io.ReadCloser, error)

	// Send sends one text to a consumer and returns the platform's id of the
	// message, as far as it gives one. It makes one try: what follows from an
	// error is decided by its kind, and by Error.Unsure, which says that the
	// platform may have sent the message in spite of the error. A text longer
	// than the channel's limit is Refused without a call; none is ever cut. Sent
	// again with the same Key, the consumer gets one message where the channel
	// says so by Texts.Resend.
	Send(ctx context.Context, o Outgoing) (id string, err error)
}

// Challenger is implemented by connectors whose platform proves the ownership
// of a webhook by a GET request that must be answered with a given text.
type Challenger interface {
	// Challenge returns the body of the 200 answer, or an error of kind
	// Unauthentic.
	Challenge(r *Request) (body string, err error)
	// ChallengeType returns the media type of that body.
	ChallengeType() string
}

// Responder is implemented by connectors whose platform wants something other
// than an empty body behind the 200 of an accepted webhook.
type Responder interface {
	Response() (contentType, body string)
}

// Request is a webhook call as it arrived. It is not an *http.Request, so that
// no connector reads the body after somebody else did, sees a proxy's host, or
// writes an answer.
type Request struct {
	Method string
	// URL is the address as registered with the platform, with the query of
	// this very request. It is made from the configuration, never from the
	// Host header.
	URL    string
	Header http.Header
	// Body is complete: the gateway has refused what was longer than BodyLimit.
	Body       []byte
	ReceivedAt time.Time
}

// Channel describes one messaging platform. Each channel package has a
// function of that name, and gateway/channels.go lists them.
type Channel struct {
	// Name is the channel's name in configuration, keys and addresses.
	Name string
	// Title is the platform's name as people write it.
	Title string
	// PhotoLimit is how many bytes an original may have if the operator does
	// not say otherwise.
	PhotoLimit config.Bytes
	// BodyLimit is how many bytes a webhook may have.
	BodyLimit int64
	// Texts says what may be sent to consumers.
	Texts Texts
	// Withdraws tells that consumers can unsend or edit what they have sent, so
	// that messages must be found again by their MessageID.
	Withdraws bool
	// Suffix is what the platform adds to the address that is registered with
	// it, such as "/message"; empty for those that call just that.
	Suffix string
	// Console says in one sentence where an operator enters the webhook's
	// address by hand.
	Console string
	// Cannot lists what the platform has no means for, by the name of the
	// conformance check that is left out for it, with the reason in half a
	// sentence, such as "one message per request". The README's table shows it.
	Cannot map[string]string
	// Settings returns a new, empty settings value to decode a connector's
	// file into.
	Settings func() config.Settings
	// New builds a connector from settings that this channel's Settings
	// function made and that have been checked.
	New func(config.Settings, Env) (Connector, error)
}

// Env is what a connector gets from the program that it runs in.
type Env struct {
	Log *slog.Logger
	// Now is the clock; time.Now outside tests.
	Now func() time.Time
}

// Package problem is how the API says that something did not work: RFC 9457's
// application/problem+json, of few kinds that a program can act on.
//
// It promises that a kind always has the same type, status and title, that none
// holds an error's own text, and that all answers of kind NotFound are the same
// bytes: whoever may not see something cannot tell it from what is not there.
//
// What else all calls of the API have in common stands here too: how their bodies are
// read, and what no answer goes without.
package problem

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/lightlock/lightlock/gateway/queue"
)

// Kind is a kind of problem. What a program should do follows from it alone.
type Kind string

// The kinds of problem.
const (
	Unauthenticated      Kind = "unauthenticated"        // sign in
	NotFound             Kind = "not_found"              // not there, or not for this caller
	Invalid              Kind = "invalid"                // the call itself is wrong
	Taken                Kind = "taken"                  // another agent has the conversation
	Closed               Kind = "closed"                 // the conversation is closed
	NotAssigned          Kind = "not_assigned"           // the caller does not have the conversation
	CannotReply          Kind = "cannot_reply"           // the platform would not take an answer
	TooLong              Kind = "too_long"               // a text of too many messages
	NothingToSay         Kind = "nothing_to_say"         // a text of white space
	IdempotencyMismatch  Kind = "idempotency_mismatch"   // the key was used for something else
	TooLarge             Kind = "too_large"              // a body of too many bytes
	UnsupportedMediaType Kind = "unsupported_media_type" // a body that is not JSON
	MethodNotAllowed     Kind = "method_not_allowed"
	TooManyRequests      Kind = "too_many_requests" // wait, then try again
	Unavailable          Kind = "unavailable"       // the gateway cannot do it now
	Broken               Kind = "broken"            // the gateway has made a mistake
)

// Type is the kind's name for programs.
func (k Kind) Type() string { return "urn:lightlock:problem:" + string(k) }

// Kinds are all of them, in the order in which the package lists them.
func Kinds() []Kind {
	return []Kind{
		Unauthenticated, NotFound, Invalid, Taken, Closed, NotAssigned, CannotReply, TooLong, NothingToSay,
		IdempotencyMismatch, TooLarge, UnsupportedMediaType, MethodNotAllowed, TooManyRequests, Unavailable, Broken,
	}
}

// Status is the HTTP status that goes with the kind.
func (k Kind) Status() int {
	status, _ := k.said()
	return status
}

// said is what never changes about a kind.
func (k Kind) said() (status int, title string) {
	switch k {
	case Unauthenticated:
		return http.StatusUnauthorized, "Not signed in"
	case NotFound:
		return http.StatusNotFound, "Not found"
	case Invalid:
		return http.StatusBadRequest, "The call is wrong"
	case Taken:
		return http.StatusConflict, "Another agent has the conversation"
	case Closed:
		return http.StatusConflict, "The conversation is closed"
	case NotAssigned:
		return http.StatusConflict, "The conversation is not yours"
	case CannotReply:
		return http.StatusConflict, "The channel takes no answer"
	case TooLong:
		return http.StatusUnprocessableEntity, "The text is too long"
	case NothingToSay:
		return http.StatusUnprocessableEntity, "The text is empty"
	case IdempotencyMismatch:
		return http.StatusUnprocessableEntity, "The idempotency key was used for something else"
	case TooLarge:
		return http.StatusRequestEntityTooLarge, "The body is too large"
	case UnsupportedMediaType:
		return http.StatusUnsupportedMediaType, "The body is not JSON"
	case MethodNotAllowed:
		return http.StatusMethodNotAllowed, "The method is not allowed here"
	case TooManyRequests:
		return http.StatusTooManyRequests, "Too many at once"
	case Unavailable:
		return http.StatusServiceUnavailable, "Not possible at the moment"
	}
	return http.StatusInternalServerError, "The gateway has made a mistake"
}

// Problem is one thing that did not work. It is an error, so that a handler can
// return it.
type Problem struct {
	Kind Kind
	// Detail is a sentence for people, of our own words: no secret, and nothing
	// that a consumer said. NotFound has none.
	Detail string
	// Agent has the conversation that the problem is about, if anybody has.
	Agent *queue.Agent
	// After is how long to wait before the next try, in whole seconds; a second
	// where it is zero and the kind asks for a later try.
	After time.Duration
}

// Of is a Problem with a detail.
func Of(k Kind, detail string) *Problem { return &Problem{Kind: k, Detail: detail} }

// Error returns the kind and the detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return string(p.Kind)
	}
	return string(p.Kind) + ": " + p.Detail
}

// body is the problem as it is sent.
type body struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail,omitempty"`
	Agent  *queue.Agent `json:"agent,omitempty"`
}

// Write answers a call with a problem. Nothing may keep the answer.
func Write(w http.ResponseWriter, p *Problem) {
	status, title := p.Kind.said()
	b := body{Type: p.Kind.Type(), Title: title, Status: status}
	if p.Kind != NotFound {
		b.Detail, b.Agent = p.Detail, p.Agent
	}
	text, err := json.Marshal(b)
	if err != nil {
		text = []byte(`{}`) // cannot be: all of it is text
	}
	h := w.Header()
	Guard(h)
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	switch p.Kind {
	case Unauthenticated:
		h.Set("WWW-Authenticate", `Bearer realm="lightlock"`)
	case TooManyRequests, Unavailable:
		h.Set("Retry-After", strconv.Itoa(max(1, int(p.After.Round(time.Second)/time.Second))))
	}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

package connectors

import (
	"context"
	"time"
)

// Outgoing is one message to a consumer.
type Outgoing struct {
	// Account is the platform's id of the account that speaks.
	Account string
	// Consumer is the platform's id of the person, as it stood in an Event.
	Consumer string
	// Key is a UUID (RFC 9562, lower-case) that names this message at every try.
	Key string
	// Text is not empty, and at most the channel's TextLimit long.
	Text string
	// ReplyTo is the MessageID of the message that this one answers; platforms
	// that can show it do. It may be empty.
	ReplyTo string
	// ReplyToken is the Event's of that name, or empty once it is too old or
	// has been used for a try.
	ReplyToken string
	// Automatic tells that no person wrote it.
	Automatic bool
}

// Registrar is implemented by connectors whose platform has an API for where it
// sends its webhooks. account is the platform's id of one of the connector's
// accounts, and url the webhook's public address.
type Registrar interface {
	// Registered asks where the platform sends the account's events now.
	Registered(ctx context.Context, account, url string) (Registration, error)
	// Register makes the platform send the account's events to url. Many
	// platforms call url before they answer, so the gateway has to be up.
	Register(ctx context.Context, account, url string) error
}

// Registration is what a platform has on record for an account.
type Registration struct {
	// OK tells that events go to the address that was asked about.
	OK bool
	// URL is the address on record without its query, empty where there is none.
	URL string
	// Detail says in half a sentence what is missing, such as "webhooks are
	// switched off in the console". It is empty if nothing is.
	Detail string
}

// Texts says what may be sent to consumers of a channel.
type Texts struct {
	// Limit is the longest text that the platform takes, in UTF-16 code units,
	// of which an emoji has two: the way of counting that is never too generous.
	Limit int
	// Window is how long after a consumer's last message the platform lets us
	// answer; zero if it sets no limit.
	Window time.Duration
	// Resend tells that Send with the same Key and without a ReplyToken reaches
	// the consumer once, however often it is called.
	Resend bool
	// TokenLife is how long after an event its ReplyToken is good; zero where
	// there are none.
	TokenLife time.Duration
}

// Length counts a text as Texts.Limit does.
func Length(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

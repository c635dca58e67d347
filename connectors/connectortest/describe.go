package connectortest

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/lightlock/lightlock/connectors"
)

// describeChecks are about what a channel says of itself.
func describeChecks() []check {
	return []check{
		{"channel", "a channel has a name for keys and addresses, a title, limits, and fresh settings at every call", checkChannel},
		{"texts", "a channel says how long a text may be, where its webhook is entered by hand, and why it cannot do what it cannot", checkTexts},
		{"settings", "settings that reach the platform pass their own check and name the channel and its accounts", checkSettings},
		{"responder", "a Responder names a media type and a body fit for a 200 answer, without a secret", checkResponder},
	}
}

var channelName = regexp.MustCompile(`^[a-z][a-z0-9]{1,31}$`)

func checkChannel(b *bench) error {
	c := b.subject.Channel
	switch {
	case !channelName.MatchString(c.Name):
		return fmt.Errorf("got Name %q, want a match of %v", c.Name, channelName)
	case c.Title == "":
		return errors.New("got no Title")
	case c.PhotoLimit <= 0:
		return fmt.Errorf("got PhotoLimit %d, want more than 0", c.PhotoLimit)
	case c.BodyLimit <= 0 || c.BodyLimit > 64<<20:
		return fmt.Errorf("got BodyLimit %d, want 1 byte to 64 MB", c.BodyLimit)
	case c.Settings == nil || c.New == nil:
		return errors.New("got no Settings or no New function")
	}
	one, two := c.Settings(), c.Settings()
	if reflect.ValueOf(one).Kind() != reflect.Pointer || one == two {
		return fmt.Errorf("got %T twice the same, want a new pointer at every call of Settings", one)
	}
	if got, want := reflect.TypeOf(b.settings), reflect.TypeOf(one); got != want {
		return fmt.Errorf("the platform's settings are a %v, want the channel's %v", got, want)
	}
	return nil
}

func checkTexts(b *bench) error {
	c := b.subject.Channel
	switch {
	case c.Texts.Limit <= 0:
		return fmt.Errorf("got Texts.Limit %d, want more than 0", c.Texts.Limit)
	case c.Texts.Window < 0 || c.Texts.TokenLife < 0:
		return fmt.Errorf("got Window %v and TokenLife %v, want 0 or more", c.Texts.Window, c.Texts.TokenLife)
	case strings.TrimSpace(c.Console) == "":
		return errors.New("got no Console, which an operator reads who enters the address by hand")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Cannot)) {
		if strings.TrimSpace(c.Cannot[name]) == "" {
			return fmt.Errorf("got no reason in Cannot for %s", name)
		}
	}
	return nil
}

func checkSettings(b *bench) error {
	if found := b.settings.Check(); len(found) > 0 {
		return fmt.Errorf("got findings %+v, want none", found)
	}
	common := b.settings.Common()
	if common.Channel != b.subject.Channel.Name || common.Name != "acme" {
		return fmt.Errorf("got connector %s, want %s/acme", common.FullName(), b.subject.Channel.Name)
	}
	if len(secretsOf(b.settings)) == 0 {
		return errors.New("there is no secret: nothing can be verified")
	}
	list := b.settings.AccountList()
	if len(list) == 0 {
		return errors.New("there is no account")
	}
	for _, a := range list {
		if a.ID == "" || a.Queue != "support" {
			return fmt.Errorf("got account %q with queue %q, want an id and queue support", a.ID, a.Queue)
		}
	}
	return nil
}

func checkResponder(b *bench) error {
	r, ok := b.connector.(connectors.Responder)
	if !ok {
		return nil
	}
	contentType, body := r.Response()
	if _, _, err := mime.ParseMediaType(contentType); err != nil {
		return fmt.Errorf("got content type %q: %w", contentType, err)
	}
	if len(body) > 4<<10 {
		return fmt.Errorf("got a body of %d bytes, want at most 4 KB", len(body))
	}
	return secretLeaks(b.settings).in("the answer to a webhook", body)
}

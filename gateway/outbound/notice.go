package outbound

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/media"
)

// noticeFor is how long a notice is worth sending on platforms that would let us
// answer for ever.
const noticeFor = 24 * time.Hour

// Rejected is a photo that was rejected, with what decides about a notice.
type Rejected struct {
	Route   *routes.Route
	Account routes.Account
	// Event is the message with the photo, and ReceivedAt when it arrived.
	Event      connectors.Event
	ReceivedAt time.Time
	Reason     media.Reason
	// Type is the original's media type by content, or empty.
	Type string
}

// Notice returns what the consumer should be told, and whether anything. Nothing
// is said in answer to a message that no program should answer, nor to one that
// is older than the platform lets us answer, or than a day.
func (r Rejected) Notice(now time.Time) (Message, bool) {
	if r.Event.NoReply || r.Account.Notices.Enabled != nil && !*r.Account.Notices.Enabled {
		return Message{}, false
	}
	since, texts := earlier(r.Event.SentAt, r.ReceivedAt), r.Route.Channel.Texts
	until := since.Add(noticeFor)
	if texts.Window > 0 && texts.Window < noticeFor {
		until = since.Add(texts.Window)
	}
	if !now.Before(until) {
		return Message{}, false
	}
	parts := Split(r.text(), texts.Limit)
	if len(parts) == 0 {
		return Message{}, false
	}
	m := Message{
		Kind: Notice, Channel: r.Route.Channel.Name, Account: r.Event.Account, Consumer: r.Event.Consumer.ID,
		Parts: parts, ReplyTo: r.Event.MessageID, Since: since, Until: until,
	}
	// A token that is over is of no use, and where there is one nobody knows of a
	// sender that died whether it used it.
	if over := since.Add(texts.TokenLife); now.Before(over) {
		m.ReplyToken, m.TokenUntil = r.Event.ReplyToken, over
	}
	return m, true
}

// earlier returns the earlier of the platform's time, if it says one, and ours.
func earlier(sent, received time.Time) time.Time {
	if sent.IsZero() || received.Before(sent) {
		return received
	}
	return sent
}

// text chooses the words: the operator's before ours, the consumer's language
// before the account's, and English where neither is spoken.
func (r Rejected) text() string {
	text := ""
	for _, wanted := range []string{r.Event.Language, r.Account.Notices.Language, "en"} {
		for _, l := range []string{normal(wanted), primary(wanted)} {
			text = cmp.Or(text, operatorText(r.Account.Notices.Texts, l, r.Reason), ownTexts(l)[r.topic()])
		}
	}
	photos := r.Account.Photos
	return strings.NewReplacer("{limit}", limitText(photos.MaxBytes), "{formats}", formatsText(photos.Formats)).Replace(text)
}

// unsupportedHEIC is what our words are about where a photo is rejected for
// being HEIC.
const unsupportedHEIC = "unsupported_heic"

// topic is what our words are about: the reason, but for HEIC. That is what
// iPhones make, so its sender did nothing odd and has no idea of formats; they
// are told of the one that every phone can send, where the account takes it.
func (r Rejected) topic() string {
	heic := strings.HasPrefix(r.Type, "image/heic") || strings.HasPrefix(r.Type, "image/heif")
	if r.Reason == media.UnsupportedType && heic && slices.Contains(r.Account.Photos.Formats, "jpeg") {
		return unsupportedHEIC
	}
	return string(r.Reason)
}

func operatorText(sets []config.NoticeTexts, language string, why media.Reason) string {
	for _, set := range sets {
		if text := textOf(set, why); normal(set.Language) == language && text != "" {
			return text
		}
	}
	return ""
}

// textOf returns a set's text for a reason.
func textOf(t config.NoticeTexts, why media.Reason) string {
	return map[media.Reason]string{
		media.TooLarge: t.TooLarge, media.UnsupportedType: t.UnsupportedType, media.Animated: t.Animated,
		media.TooManyPixels: t.TooManyPixels, media.Corrupt: t.Corrupt, media.Expired: t.Expired,
		media.Unreachable: t.Unreachable, media.Disabled: t.Disabled, media.TooComplex: t.TooComplex,
	}[why]
}

// normal makes "en_US" and "EN-us" the same, and primary leaves "en" of both.
func normal(language string) string {
	return strings.ToLower(strings.ReplaceAll(language, "_", "-"))
}

func primary(language string) string {
	first, _, _ := strings.Cut(normal(language), "-")
	return first
}

// limitText writes a size as people read it, and never more than it is.
func limitText(bytes int64) string {
	for _, unit := range []config.Bytes{config.GB, config.MB, config.KB} {
		if bytes < int64(unit) {
			continue
		}
		whole, tenth := bytes/int64(unit), bytes%int64(unit)*10/int64(unit)
		name := strings.Fields(unit.String())[1]
		if tenth == 0 {
			return fmt.Sprintf("%d %s", whole, name)
		}
		return fmt.Sprintf("%d.%d %s", whole, tenth, name)
	}
	return strconv.FormatInt(bytes, 10) + " B"
}

func formatsText(formats []string) string {
	return strings.ToUpper(strings.Join(formats, ", "))
}

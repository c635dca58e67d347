package outbound_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/line"
	"github.com/lightlock/lightlock/connectors/whatsapp"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/routes"
	"github.com/lightlock/lightlock/media"
)

// rejected is a photo on LINE that was too large, a moment ago.
func rejected(now time.Time) outbound.Rejected {
	account := routes.Account{ID: "U1", Name: "line/acme", Photos: media.Default(), Notices: config.Default().Notices}
	account.Photos.MaxBytes = int64(10 * config.MB)
	return outbound.Rejected{
		Route: &routes.Route{Channel: line.Channel()}, Account: account,
		Event: connectors.Event{
			Account: "U1", Consumer: connectors.Consumer{ID: "U2"}, MessageID: "m1", SentAt: now.Add(-time.Second), ReplyToken: "token",
		},
		ReceivedAt: now, Reason: media.TooLarge,
	}
}

func TestNoticeSaysWhatWasWrongAndWhatWouldWork(t *testing.T) {
	now := time.Now()
	own := []config.NoticeTexts{
		{Language: "de-CH", TooLarge: "Foto grösser als {limit}."},
		{Language: "ja", TooLarge: "{limit}以下の写真を送ってください。"},
		{Language: "en", Animated: "Still photos only."},
	}
	for _, row := range []struct {
		name, language string
		reason         media.Reason
		edit           func(*routes.Account)
		want           string
	}{
		{"English by default", "", media.TooLarge, nil, "This photo is larger than 10 MB. Please send a smaller one."},
		{"formats", "", media.UnsupportedType, nil, "We cannot open this file. Please send your photo as JPEG, PNG, GIF."},
		{"the consumer's language", "de_DE", media.TooLarge, nil, "Dieses Foto ist größer als 10 MB. Bitte senden Sie ein kleineres."},
		{"one that nobody speaks", "tlh", media.Animated, nil, "This picture moves. Please send a still photo."},
		{
			"the account's language", "", media.Animated, func(a *routes.Account) { a.Notices.Language = "fr" },
			"Cette image est animée. Veuillez envoyer une photo fixe.",
		},
		{"the operator's words", "de_CH", media.TooLarge, func(a *routes.Account) { a.Notices.Texts = own }, "Foto grösser als 10 MB."},
		{"in a language of the operator's", "ja-JP", media.TooLarge, func(a *routes.Account) { a.Notices.Texts = own }, "10 MB以下の写真を送ってください。"},
		{"what the operator leaves out", "en", media.TooLarge, func(a *routes.Account) { a.Notices.Texts = own }, "This photo is larger than 10 MB. Please send a smaller one."},
		{"what the operator says", "en", media.Animated, func(a *routes.Account) { a.Notices.Texts = own }, "Still photos only."},
		{"an odd limit", "", media.TooLarge, func(a *routes.Account) { a.Photos.MaxBytes = 1_999_999 }, "This photo is larger than 1.9 MB. Please send a smaller one."},
		{"a small limit", "", media.TooLarge, func(a *routes.Account) { a.Photos.MaxBytes = 512 }, "This photo is larger than 512 B. Please send a smaller one."},
	} {
		r := rejected(now)
		r.Event.Language, r.Reason = row.language, row.reason
		if row.edit != nil {
			row.edit(&r.Account)
		}
		m, ok := r.Notice(now)
		if !ok || len(m.Parts) != 1 || m.Parts[0] != row.want {
			t.Errorf("%s: got %q, %v, want %q", row.name, m.Parts, ok, row.want)
		}
	}
}

func TestEveryLanguageHasWordsForEveryReason(t *testing.T) {
	now := time.Now()
	english := map[media.Reason]string{}
	for _, language := range []string{"en", "de", "es", "fr", "it", "nl", "pt"} {
		for _, reason := range []media.Reason{
			media.TooLarge, media.UnsupportedType, media.Animated, media.TooManyPixels, media.TooComplex,
			media.Corrupt, media.Expired, media.Unreachable, media.Disabled, "a HEIC photo",
		} {
			r := rejected(now)
			r.Event.Language, r.Reason = language, reason
			if reason == "a HEIC photo" {
				r.Reason, r.Type = media.UnsupportedType, "image/heic"
			}
			m, ok := r.Notice(now)
			if !ok || len(m.Parts) != 1 || strings.ContainsAny(m.Parts[0], "{}") {
				t.Fatalf("%s %s: got %q, %v, want a notice", language, reason, m.Parts, ok)
			}
			if language == "en" {
				english[reason] = m.Parts[0]
			} else if m.Parts[0] == english[reason] {
				t.Errorf("%s %s: got the English words", language, reason)
			}
		}
	}
}

// Whoever sends what an iPhone makes is told what to send instead: a JPEG, where
// the account takes one, unless the operator has other words.
func TestNoticeOfAHEICPhoto(t *testing.T) {
	now := time.Now()
	for _, row := range []struct {
		name, language, mediaType string
		edit                      func(*outbound.Rejected)
		want                      string
	}{
		{"HEIC", "", "image/heic", nil, "This is a HEIC photo, which we cannot open. Please send it as a JPEG."},
		{"HEIF", "", "image/heif", nil, "This is a HEIC photo, which we cannot open. Please send it as a JPEG."},
		{"in German", "de-DE", "image/heic-sequence", nil, "Dies ist ein HEIC-Foto, das wir nicht öffnen können. Bitte senden Sie es als JPEG."},
		{"in Dutch", "nl", "image/heic", nil, "Dit is een HEIC-foto, die we niet kunnen openen. Stuur hem alstublieft als JPEG."},
		{"another type", "", "image/tiff", nil, "We cannot open this file. Please send your photo as JPEG, PNG, GIF."},
		{"no JPEG", "", "image/heic", func(r *outbound.Rejected) { r.Account.Photos.Formats = []string{"png"} }, "We cannot open this file. Please send your photo as PNG."},
		{"another reason", "", "image/heic", func(r *outbound.Rejected) { r.Reason = media.TooLarge }, "This photo is larger than 10 MB. Please send a smaller one."},
		{"the operator's words", "", "image/heic", func(r *outbound.Rejected) {
			r.Account.Notices.Texts = []config.NoticeTexts{{Language: "en", UnsupportedType: "{formats} only."}}
		}, "JPEG, PNG, GIF only."},
	} {
		r := rejected(now)
		r.Event.Language, r.Reason, r.Type = row.language, media.UnsupportedType, row.mediaType
		if row.edit != nil {
			row.edit(&r)
		}
		if m, ok := r.Notice(now); !ok || len(m.Parts) != 1 || m.Parts[0] != row.want {
			t.Errorf("%s: got %q, %v, want %q", row.name, m.Parts, ok, row.want)
		}
	}
}

func TestNoNotice(t *testing.T) {
	now := time.Now()
	off := false
	for name, edit := range map[string]func(*outbound.Rejected){
		"switched off":         func(r *outbound.Rejected) { r.Account.Notices.Enabled = &off },
		"an automatic message": func(r *outbound.Rejected) { r.Event.NoReply = true },
		"older than a day":     func(r *outbound.Rejected) { r.Event.SentAt = now.Add(-24 * time.Hour) },
		"received a day ago":   func(r *outbound.Rejected) { r.Event.SentAt, r.ReceivedAt = time.Time{}, now.Add(-24*time.Hour) },
		"older than the window": func(r *outbound.Rejected) {
			r.Route.Channel.Texts.Window, r.Event.SentAt = time.Hour, now.Add(-time.Hour)
		},
		"the platform's is less": func(r *outbound.Rejected) {
			r.Route.Channel = whatsapp.Channel()
			r.Event.SentAt = now.Add(-24 * time.Hour)
		},
	} {
		r := rejected(now)
		edit(&r)
		if m, ok := r.Notice(now); ok {
			t.Errorf("%s: got %q, want none", name, m.Parts)
		}
	}
	r := rejected(now)
	r.Event.SentAt = now.Add(time.Hour) // a platform's clock may be wrong
	m, ok := r.Notice(now)
	if !ok || !m.Since.Equal(now) || !m.TokenUntil.Equal(now.Add(50*time.Second)) {
		t.Errorf("got %+v, %v, want a notice whose times count from its arrival", m, ok)
	}
}

// An operator may say nothing about one reason, and a newer release may have
// reasons of its own.
func TestANoticeWithoutWordsIsNone(t *testing.T) {
	now := time.Now()
	blank, newer := rejected(now), rejected(now)
	blank.Account.Notices.Texts = []config.NoticeTexts{{Language: "en", TooLarge: "  "}}
	newer.Reason = "too_beautiful"
	for name, r := range map[string]outbound.Rejected{"blank": blank, "newer": newer} {
		if m, ok := r.Notice(now); ok {
			t.Errorf("%s: got %+v, want none", name, m)
		}
	}
}

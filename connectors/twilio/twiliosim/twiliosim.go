// Package twiliosim is Twilio's side of the conversation: it signs webhooks as
// Twilio signs them, serves media as its API and its CDN do, and takes messages
// and webhook addresses as its API does. It is written from Twilio's
// documentation, and checked against Twilio's own library.
package twiliosim

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's choice
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
	"github.com/lightlock/lightlock/connectors/twilio"
)

// Platform is a Twilio with one account that has one phone number. It has two
// servers, the API and the CDN that the API leads to.
type Platform struct {
	*sim.Server
	// CDN is the second server. It takes no credentials.
	CDN *sim.Server
	// AccountSID and Token are the account, Number is its phone number.
	AccountSID, Token, Number string
	// ShortCode is another number of the account, and ServiceSID a messaging
	// service that both are in.
	ShortCode, ServiceSID string
	// KeySID and KeySecret are an API key, which opens the API as well.
	KeySID, KeySecret string

	signature string // of the CDN's addresses
	contents  sim.Shelf

	mu       sync.Mutex
	redirect int
	seen     []http.Header
	created  int               // messages sent
	stopped  map[string]bool   // consumers who want no more
	records  map[string]Record // by number
}

// Start starts a Twilio on two loopback ports.
func Start() (*Platform, error) {
	p := &Platform{
		AccountSID: "AC" + sim.Secret(), Token: sim.Secret(),
		Number:    "+1415555" + sim.Decimal(4, sim.Secret()),
		ShortCode: sim.Decimal(5, sim.Secret()), ServiceSID: "MG" + sim.Secret(),
		KeySID: "SK" + sim.Secret(), KeySecret: sim.Secret(),
		signature: sim.Secret(), redirect: http.StatusTemporaryRedirect,
		stopped: map[string]bool{}, records: map[string]Record{},
	}
	api, cdn := http.NewServeMux(), http.NewServeMux()
	const account = "/2010-04-01/Accounts/{account}"
	api.HandleFunc("GET "+account+"/Messages/{message}/Media/{media}", p.media)
	api.HandleFunc("POST "+account+"/Messages.json", p.createMessage)
	api.HandleFunc("GET "+account+"/IncomingPhoneNumbers.json", p.numbers("incoming_phone_numbers", "PhoneNumber", p.Number))
	api.HandleFunc("POST "+account+"/IncomingPhoneNumbers/{sid}", p.updateNumber(p.Number))
	api.HandleFunc("GET "+account+"/SMS/ShortCodes.json", p.numbers("short_codes", "ShortCode", p.ShortCode))
	api.HandleFunc("POST "+account+"/SMS/ShortCodes/{sid}", p.updateNumber(p.ShortCode))
	cdn.HandleFunc("GET /{account}/{object}", p.content)
	var err error
	if p.CDN, err = sim.Serve(cdn); err != nil {
		return nil, err
	}
	if p.Server, err = sim.Serve(api); err != nil {
		return nil, errors.Join(err, p.CDN.Close())
	}
	return p, nil
}

// Close implements sim.Platform.
func (p *Platform) Close() error { return errors.Join(p.Server.Close(), p.CDN.Close()) }

// Wrap implements sim.Platform for both servers, because a photo comes from
// both. The servers' own methods wrap one of them.
func (p *Platform) Wrap(wrap func(http.Handler) http.Handler) {
	p.Server.Wrap(wrap)
	p.CDN.Wrap(wrap)
}

// Settings implements sim.Platform.
func (p *Platform) Settings(name, queue string) config.Settings {
	return &twilio.Config{
		Connector: config.Connector{
			Channel: "twilio", Name: name, APIBase: p.URL, AllowPrivateAddresses: true,
		},
		AccountSID: p.AccountSID,
		AuthToken:  config.Secrets{config.NewSecret(p.Token)},
		MediaHosts: []string{strings.TrimPrefix(p.CDN.URL, "http://")},
		Accounts:   []twilio.Account{{Account: config.Account{ID: p.Number, Queue: queue}}},
	}
}

// Adopt implements sim.Platform. The CDN is at the first of the media_hosts.
func (p *Platform) Adopt(s config.Settings) error {
	c := s.(*twilio.Config)
	p.AccountSID, p.Token, p.Number = c.AccountSID, c.AuthToken[0].Reveal(), c.Accounts[0].ID
	if c.APIKeySID != "" {
		p.KeySID, p.KeySecret = c.APIKeySID, c.APIKeySecret.Reveal()
	}
	if len(c.MediaHosts) > 0 {
		if err := p.CDN.Move("http://" + c.MediaHosts[0]); err != nil {
			return err
		}
	}
	return p.Move(c.APIBase)
}

// Webhook implements sim.Platform: each message is a call of its own, and no
// message has more than ten photos.
func (p *Platform) Webhook(address string, said ...sim.Said) ([]*connectors.Request, error) {
	var calls []*connectors.Request
	for _, s := range said {
		for part, photos := range split(s.Photos) {
			calls = append(calls, p.Sign(address, p.Form(s, part, photos)))
			s.Text = "" // it is a caption of the first part
		}
	}
	return calls, nil
}

// split returns the photos of each message, of which there is at least one.
func split(photos [][]byte) [][][]byte {
	if len(photos) == 0 {
		return [][][]byte{nil}
	}
	return slices.Collect(slices.Chunk(photos, 10))
}

// Form returns the parameters of one message. Its photos are on the shelf then,
// and Twilio knows of a STOP.
func (p *Platform) Form(s sim.Said, part int, photos [][]byte) url.Values {
	p.hears(PhoneNumber(s.Consumer), s.Text)
	prefix := "SM"
	if len(photos) > 0 {
		prefix = "MM"
	}
	sid := prefix + sim.Digest(32, s.ID, strconv.Itoa(part), "message")
	form := url.Values{}
	for name, value := range map[string]string{
		"AccountSid": p.AccountSID, "ApiVersion": "2010-04-01",
		"MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "SmsStatus": "received",
		"From": PhoneNumber(s.Consumer), "To": p.Number, "Body": s.Text,
		"FromCity": "", "FromState": "CA", "FromZip": "", "FromCountry": "US",
		"ToCity": "", "ToState": "CA", "ToZip": "94105", "ToCountry": "US",
		"NumMedia": strconv.Itoa(len(photos)), "NumSegments": strconv.Itoa(max(1, len(photos))),
	} {
		form.Set(name, value)
	}
	for i, photo := range photos {
		n := strconv.Itoa(i)
		media := "ME" + sim.Digest(32, sid, n, "media")
		p.contents.Put(objectName(sid, media), photo)
		form.Set("MediaUrl"+n, p.URL+"/2010-04-01/Accounts/"+p.AccountSID+"/Messages/"+sid+"/Media/"+media)
		form.Set("MediaContentType"+n, claimedType(photo))
	}
	return form
}

// objectName is the name of a medium on the CDN, which tells nothing of its ids.
func objectName(message, media string) string { return sim.Digest(32, message, media, "object") }

// claimedType is what a phone says of something that it sends as a photo.
func claimedType(photo []byte) string {
	if kind := http.DetectContentType(photo); strings.HasPrefix(kind, "image/") {
		return kind
	}
	return "image/jpeg"
}

// PhoneNumber is a consumer's number.
func PhoneNumber(consumer string) string { return "+1" + sim.Decimal(10, "number", consumer) }

// Sign makes the call that Twilio would make with this form.
func (p *Platform) Sign(address string, form url.Values) *connectors.Request {
	return p.SignAs(address, address, form)
}

// SignAs is Sign for a Twilio that writes the address as spelling when it
// signs: with a port, for example, where the call itself has none.
func (p *Platform) SignAs(spelling, address string, form url.Values) *connectors.Request {
	header := http.Header{}
	header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	header.Set("User-Agent", "TwilioProxy/1.1")
	header.Set("I-Twilio-Idempotency-Token", sim.Digest(32, form.Encode()))
	header.Set("X-Twilio-Signature", Signature(p.Token, spelling, form))
	return &connectors.Request{
		Method: http.MethodPost, URL: address, Header: header, Body: []byte(form.Encode()),
	}
}

// Signature is Twilio's signature of a form without repeated parameters: Base64
// of HMAC-SHA1 over the address, then name and value of each parameter sorted
// by name.
func Signature(token, address string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	var text strings.Builder
	text.WriteString(address)
	for _, name := range names {
		text.WriteString(name + form.Get(name))
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text.String()))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

var authority = regexp.MustCompile(`^(https?)://([^/?#]*?)(:[0-9]+)?([/?#]|$)`)

// WithoutPort is the address as Twilio signs it on some days.
func WithoutPort(address string) string {
	return authority.ReplaceAllString(address, "$1://$2$4")
}

// WithPort is the address as Twilio signs it on others: with the scheme's port
// where none is written.
func WithPort(address string) string {
	m := authority.FindStringSubmatch(address)
	if m == nil || m[3] != "" {
		return address
	}
	port := map[string]string{"http": ":80", "https": ":443"}[m[1]]
	return m[1] + "://" + m[2] + port + m[4] + strings.TrimPrefix(address, m[0])
}

// Redirect sets the status by which the API leads to the CDN. Both 307, as at
// the start, and 302 have been seen.
func (p *Platform) Redirect(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.redirect = status
}

// Seen returns the headers of all calls to the CDN so far.
func (p *Platform) Seen() []http.Header {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// media answers as the API does: to those who may know with the CDN's address.
func (p *Platform) media(w http.ResponseWriter, r *http.Request) {
	if !p.opens(w, r) {
		return
	}
	name := objectName(r.PathValue("message"), r.PathValue("media"))
	if _, ok := p.contents.Get(name); !ok {
		fail(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
		return
	}
	expires := strconv.FormatInt(time.Now().Add(4*time.Hour).Unix(), 10)
	query := url.Values{"Expires": {expires}, "Signature": {p.signature}, "Key-Pair-Id": {"APKASIMULATED"}}
	p.mu.Lock()
	status := p.redirect
	p.mu.Unlock()
	w.Header().Set("Location", p.CDN.URL+"/"+p.AccountSID+"/"+name+"?"+query.Encode())
	w.WriteHeader(status)
}

// content answers as the CDN does. The right to read is in the address; a
// second way of proving it is an error, as with S3.
func (p *Platform) content(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.seen = append(p.seen, r.Header.Clone())
	p.mu.Unlock()
	if r.Header.Get("Authorization") != "" {
		http.Error(w, "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>", http.StatusBadRequest)
		return
	}
	data, ok := p.contents.Get(r.PathValue("object"))
	if !ok || r.URL.Query().Get("Signature") != p.signature {
		http.Error(w, "<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", http.DetectContentType(data))
	_, _ = w.Write(data) //nolint:gosec // a simulated host serves what it was given
}

// opens answers calls that do not prove themselves, or are about another account.
func (p *Platform) opens(w http.ResponseWriter, r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	if (user != p.AccountSID || password != p.Token) && (user != p.KeySID || password != p.KeySecret) {
		w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
		fail(w, http.StatusUnauthorized, 20003, "Authenticate")
		return false
	}
	if r.PathValue("account") != p.AccountSID {
		fail(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
		return false
	}
	return true
}

// form reads the parameters of a call to the API, and answers one that is not in
// order.
func (p *Platform) form(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	if !p.opens(w, r) {
		return nil, false
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		fail(w, http.StatusBadRequest, 20001, "Bad request")
		return nil, false
	}
	return r.PostForm, true
}

// object is a JSON object.
type object map[string]any

func answer(w http.ResponseWriter, status int, v object) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("Twilio-Request-Id", "RQ"+sim.Secret())
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status, code int, message string) {
	answer(w, status, object{
		"code": code, "message": message, "status": status,
		"more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(code),
	})
}

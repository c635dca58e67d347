package twiliosim

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/connectors/sim"
)

// hears does what Twilio does by itself with what consumers say to a number:
// STOP makes it send nothing more to them, START ends that.
// https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
func (p *Platform) hears(consumer, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch strings.ToUpper(strings.TrimSpace(text)) {
	case "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE":
		p.stopped[consumer] = true
	case "START", "UNSTOP", "YES":
		delete(p.stopped, consumer)
	}
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// refusal is an error of Twilio's: its code and its words, with HTTP 400 unless
// it has a status of its own.
type refusal struct {
	status, code int
	message      string
}

// createMessage answers POST .../Messages.json.
func (p *Platform) createMessage(w http.ResponseWriter, r *http.Request) {
	form, ok := p.form(w, r)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if no := p.refuses(form); no != nil {
		fail(w, no.status, no.code, no.message)
		return
	}
	p.created++
	sid := "SM" + sim.Digest(32, p.AccountSID, strconv.Itoa(p.created), "sent")
	p.Deliver(sim.Sent{ID: sid, Account: form.Get("From"), Consumer: form.Get("To"), Text: form.Get("Body")})
	answer(w, http.StatusCreated, p.resource(sid, form))
}

// refuses returns what is wrong about a message.
// https://www.twilio.com/docs/api/errors
func (p *Platform) refuses(form url.Values) *refusal {
	to, from, service := form.Get("To"), form.Get("From"), form.Get("MessagingServiceSid")
	switch body := form.Get("Body"); {
	case to == "":
		return &refusal{400, 21604, "A 'To' phone number is required."}
	case !e164.MatchString(to):
		return &refusal{400, 21211, "Invalid 'To' Phone Number: " + to}
	case from == "" && service == "":
		return &refusal{400, 21603, "A 'From' phone number is required."}
	case from != p.Number && from != p.ShortCode:
		return &refusal{400, 21660, "Mismatch between the 'From' number " + from + " and the account " + p.AccountSID}
	case service != "" && service != p.ServiceSID:
		return &refusal{404, 21701, "The Messaging Service does not exist"}
	case to == from:
		return &refusal{400, 21266, "'To' and 'From' number cannot be the same: " + to}
	case body == "":
		return &refusal{400, 21602, "Message body is required."}
	case utf8.RuneCountInString(body) > 1600:
		return &refusal{400, 21617, "The concatenated message body exceeds the 1600 character limit."}
	case p.stopped[to]:
		return &refusal{400, 21610, "Attempt to send to unsubscribed recipient"}
	}
	return nil
}

// resource is a message as the API shows it.
func (p *Platform) resource(sid string, form url.Values) object {
	var service any
	if s := form.Get("MessagingServiceSid"); s != "" {
		service = s
	}
	now := time.Now().UTC().Format(time.RFC1123Z)
	uri := "/2010-04-01/Accounts/" + p.AccountSID + "/Messages/" + sid
	return object{
		"sid": sid, "account_sid": p.AccountSID, "messaging_service_sid": service, "api_version": "2010-04-01",
		"to": form.Get("To"), "from": form.Get("From"), "body": form.Get("Body"), "direction": "outbound-api",
		"status": "queued", "error_code": nil, "error_message": nil, "price": nil, "price_unit": "USD",
		"num_media": "0", "num_segments": "1", "date_created": now, "date_updated": now, "date_sent": nil,
		"uri": uri + ".json", "subresource_uris": object{"media": uri + "/Media.json"},
	}
}

// Status returns the call by which Twilio tells what became of a message of the
// business. code is why it failed, or 0.
func (p *Platform) Status(address string, m sim.Sent, status string, code int) *connectors.Request {
	form := url.Values{
		"AccountSid": {p.AccountSID}, "ApiVersion": {"2010-04-01"}, "MessageSid": {m.ID}, "SmsSid": {m.ID},
		"MessageStatus": {status}, "SmsStatus": {status}, "From": {m.Account}, "To": {m.Consumer},
	}
	if code != 0 {
		form.Set("ErrorCode", strconv.Itoa(code))
	}
	return p.Sign(address, form)
}

package twiliosim

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/lightlock/lightlock/connectors/sim"
)

// Record is what the platform has on record for a number or a short code.
type Record struct {
	// URL and Method are where a message that comes in is delivered, unless
	// Application is set: the SID of a TwiML app, which says so then.
	URL, Method, Application string
}

// SetRecord does what an operator does in the console.
func (p *Platform) SetRecord(number string, r Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records[number] = r
}

// Record returns what is on record.
func (p *Platform) Record(number string) Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.records[number]
}

// numbers answers GET .../IncomingPhoneNumbers.json, which knows the parameter
// PhoneNumber, and the same for short codes.
func (p *Platform) numbers(list, parameter, number string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, ok := p.form(w, r); !ok {
			return
		}
		found := []object{}
		// Part of a number finds it too.
		if strings.Contains(number, r.URL.Query().Get(parameter)) {
			found = append(found, p.numberResource(number))
		}
		answer(w, http.StatusOK, object{
			list: found, "page": 0, "page_size": 50, "start": 0, "end": 0, "uri": r.URL.Path,
			"first_page_uri": r.URL.Path + "?Page=0&PageSize=50", "next_page_uri": nil, "previous_page_uri": nil,
		})
	}
}

// updateNumber answers POST .../IncomingPhoneNumbers/PN....json, and the same
// for short codes. What is not named stays as it is.
func (p *Platform) updateNumber(number string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		form, ok := p.form(w, r)
		if !ok {
			return
		}
		if r.PathValue("sid") != p.numberSID(number)+".json" {
			fail(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
			return
		}
		record := p.Record(number)
		for name, field := range map[string]*string{"SmsUrl": &record.URL, "SmsMethod": &record.Method, "SmsApplicationSid": &record.Application} {
			if form.Has(name) {
				*field = form.Get(name)
			}
		}
		if u, err := url.Parse(record.URL); err != nil || record.URL != "" && (u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
			fail(w, http.StatusBadRequest, 21502, "SmsUrl is not valid: "+record.URL)
			return
		}
		p.SetRecord(number, record)
		answer(w, http.StatusOK, p.numberResource(number))
	}
}

func (p *Platform) numberSID(number string) string {
	if strings.HasPrefix(number, "+") {
		return "PN" + sim.Digest(32, p.AccountSID, number)
	}
	return "SC" + sim.Digest(32, p.AccountSID, number)
}

// numberResource is a number as the API shows it, as far as it is about
// messages.
func (p *Platform) numberResource(number string) object {
	record, sid := p.Record(number), p.numberSID(number)
	resource := object{
		"sid": sid, "account_sid": p.AccountSID, "friendly_name": "acme", "api_version": "2010-04-01",
		"sms_url": record.URL, "sms_method": record.Method, "sms_fallback_url": "", "sms_fallback_method": "POST",
		"date_created": "Mon, 02 Mar 2026 12:00:00 +0000", "date_updated": "Mon, 02 Mar 2026 12:00:00 +0000",
	}
	if !strings.HasPrefix(number, "+") {
		resource["short_code"] = number
		return resource
	}
	resource["phone_number"], resource["sms_application_sid"] = number, record.Application
	resource["capabilities"] = object{"voice": true, "sms": true, "mms": true, "fax": false}
	return resource
}

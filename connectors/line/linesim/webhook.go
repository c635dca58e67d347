package linesim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Endpoint is where the webhook is set to go, and whether the console's "Use
// webhook" is switched on, as it is at the start.
type Endpoint struct {
	URL    string
	Active bool
}

// SetEndpoint does what an operator does in the console.
func (p *Platform) SetEndpoint(e Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endpoint = e
}

// endpointInformation answers GET /v2/bot/channel/webhook/endpoint.
func (p *Platform) endpointInformation(w http.ResponseWriter, r *http.Request) {
	if !p.allows(w, r) {
		return
	}
	p.mu.Lock()
	e := p.endpoint
	p.mu.Unlock()
	if e.URL == "" {
		fail(w, http.StatusNotFound, "Webhook endpoint not found")
		return
	}
	body, _ := json.Marshal(Object{"endpoint": e.URL, "active": e.Active})
	answer(w, http.StatusOK, body)
}

// setEndpoint answers PUT on the same path. It changes the address alone.
func (p *Platform) setEndpoint(w http.ResponseWriter, r *http.Request) {
	if !p.allows(w, r) {
		return
	}
	address, ok := readEndpoint(w, r)
	if !ok {
		return
	}
	p.mu.Lock()
	p.endpoint.URL = address
	p.mu.Unlock()
	answer(w, http.StatusOK, []byte("{}"))
}

// testEndpoint answers POST /v2/bot/channel/webhook/test: LINE calls the webhook
// with no events, signed like any other call.
func (p *Platform) testEndpoint(w http.ResponseWriter, r *http.Request) {
	if !p.allows(w, r) {
		return
	}
	address, ok := readEndpoint(w, r)
	if !ok {
		return
	}
	call, err := p.Call(address)
	if err != nil {
		fail(w, http.StatusInternalServerError, "Internal server error")
		return
	}
	call.ReceivedAt = time.Now()
	status, _ := p.Knock(call)
	result := Object{"success": true, "statusCode": status, "reason": "OK", "detail": "200"}
	switch {
	case status == 0:
		result = Object{"success": false, "statusCode": 0, "reason": "COULD_NOT_CONNECT", "detail": "TLS handshake failure: " + address}
	case status < 200 || status > 299:
		result = Object{"success": false, "statusCode": status, "reason": "ERROR_STATUS_CODE", "detail": "an error"}
	}
	result["timestamp"] = time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	body, _ := json.Marshal(result)
	answer(w, http.StatusOK, body)
}

// readEndpoint reads an address, and answers one that LINE does not take.
func readEndpoint(w http.ResponseWriter, r *http.Request) (string, bool) {
	var body struct {
		Endpoint string `json:"endpoint"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&body)
	u, bad := url.Parse(body.Endpoint)
	if err != nil || bad != nil || u.Scheme != "https" || u.Host == "" || len(body.Endpoint) > 500 {
		fail(w, http.StatusBadRequest, "Invalid webhook endpoint URL")
		return "", false
	}
	return body.Endpoint, true
}

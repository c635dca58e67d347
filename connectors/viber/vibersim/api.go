package vibersim

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/lightlock/lightlock/connectors/sim"
)

// What Viber takes at most.
// https://developers.viber.com/docs/api/rest-bot-api/#send-message
const (
	maxRequest    = 30 << 10
	maxText       = 7000
	maxSenderName = 28
	maxUnanswered = 100
)

// status is what went wrong; zero is nothing.
type status int

// The codes of https://developers.viber.com/docs/api/rest-bot-api/#error-codes
// that this Viber uses.
const (
	ok                    status = 0
	invalidURL            status = 1
	invalidAuthToken      status = 2
	badData               status = 3
	missingData           status = 4
	receiverNotRegistered status = 5
	receiverNotSubscribed status = 6
	tooManyRequests       status = 12
)

func (s status) message() string {
	switch s {
	case ok:
		return "ok"
	case invalidURL:
		return "invalidUrl"
	case invalidAuthToken:
		return "invalidAuthToken"
	case badData:
		return "badData"
	case missingData:
		return "missingData"
	case receiverNotRegistered:
		return "receiverNotRegistered"
	case receiverNotSubscribed:
		return "receiverNotSubscribed"
	case tooManyRequests:
		return "tooManyRequests"
	}
	return "failure"
}

// api answers as all of Viber's API does: HTTP 200, and what went wrong in the
// body.
func (p *Platform) api(handle func(body []byte) (status, Object)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, more := p.judge(r, handle)
		answer := Object{"status": int(s), "status_message": s.message(), "chat_hostname": "SN-CHAT-05_"}
		for key, value := range more {
			answer[key] = value
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func (p *Platform) judge(r *http.Request, handle func(body []byte) (status, Object)) (status, Object) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	switch {
	case r.Header.Get("X-Viber-Auth-Token") != p.Token:
		return invalidAuthToken, nil
	case err != nil, len(body) > maxRequest, !json.Valid(body):
		return badData, nil
	}
	return handle(body)
}

func (p *Platform) setWebhook(body []byte) (status, Object) {
	var q struct {
		URL        *string   `json:"url"`
		EventTypes *[]string `json:"event_types"`
	}
	switch err := json.Unmarshal(body, &q); {
	case err != nil:
		return badData, nil
	case q.URL == nil:
		return missingData, nil
	}
	// What nobody can leave out, and all that there is.
	events := []string{"subscribed", "unsubscribed", "conversation_started", "delivered", "failed", "message", "seen"}
	if q.EventTypes != nil {
		events = []string{"message", "subscribed", "unsubscribed"}
		for _, e := range *q.EventTypes {
			if !slices.Contains(events, e) {
				events = append(events, e)
			}
		}
	}
	if *q.URL != "" && !p.answers(*q.URL) {
		return invalidURL, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hook = hook{*q.URL, events}
	return ok, Object{"event_types": events}
}

// answers makes the call by which Viber checks a webhook.
func (p *Platform) answers(url string) bool {
	r, err := p.Call(url, Object{
		"event": "webhook", "timestamp": time.Now().UnixMilli(), "chat_hostname": "SN-CHAT-00_",
		"message_token": json.Number(Token(url, "webhook")),
	})
	if err != nil {
		return false
	}
	code, _ := p.Knock(r)
	return code == http.StatusOK
}

func (p *Platform) accountInfo([]byte) (status, Object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return ok, Object{
		"id": p.BotID, "name": "Acme", "uri": p.URI, "icon": "https://example.com/icon.jpg",
		"category": "Companies, Brands & Products", "subcategory": "Retail", "country": "RS",
		"webhook": p.hook.url, "event_types": p.hook.events, "subscribers_count": len(p.users), "members": []any{},
	}
}

func (p *Platform) sendMessage(body []byte) (status, Object) {
	var q struct {
		Receiver string `json:"receiver"`
		Sender   struct {
			Name string `json:"name"`
		} `json:"sender"`
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(body, &q) != nil {
		return badData, nil
	}
	switch {
	case q.Receiver == "", q.Sender.Name == "", q.Type == "", q.Text == "":
		return missingData, nil
	case q.Type != "text", utf8.RuneCountInString(q.Text) > maxText, utf8.RuneCountInString(q.Sender.Name) > maxSenderName:
		return badData, nil
	}
	s, token := p.count(q.Receiver)
	if s != ok {
		return s, nil
	}
	p.Deliver(sim.Sent{ID: token, Account: p.BotID, Consumer: q.Receiver, Text: q.Text})
	return ok, Object{"message_token": json.Number(token), "billing_status": 1}
}

// count judges a receiver and returns the token of one more message to it.
func (p *Platform) count(receiver string) (s status, token string) {
	if id, err := base64.StdEncoding.DecodeString(receiver); err != nil || len(id) != 16 {
		return receiverNotRegistered, ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	got, subscribed := p.users[receiver]
	switch {
	case !subscribed:
		return receiverNotSubscribed, ""
	case got >= maxUnanswered:
		return tooManyRequests, ""
	}
	p.users[receiver]++
	p.sent++
	return ok, Token(receiver, strconv.Itoa(p.sent))
}

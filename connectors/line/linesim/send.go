package linesim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/lightlock/lightlock/connectors/sim"
)

// desk is what LINE knows about who may be written to and what was written.
// Platform's mutex guards it.
type desk struct {
	users    map[string]bool     // who has written, and so may be written to
	tokens   map[string]string   // reply tokens that are still good, and whose
	spent    map[string]bool     // those that are not
	accepted map[string]accepted // pushes by retry key
	quota    bool                // whether the monthly quota is used up
	count    int
}

// accepted is what LINE remembers of a push for a day.
type accepted struct {
	request string
	body    []byte
}

// issue notes that an event of a user bore a reply token.
func (p *Platform) issue(user, token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.desk.users[user] = true
	if !p.desk.spent[token] {
		p.desk.tokens[token] = user
	}
}

// ExpireTokens makes every reply token so far as good as used, as a minute does.
func (p *Platform) ExpireTokens() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for token := range p.desk.tokens {
		p.spend(token)
	}
}

func (p *Platform) spend(token string) {
	delete(p.desk.tokens, token)
	p.desk.spent[token] = true
}

// UseUpQuota ends the month's push messages. Replies are not counted.
func (p *Platform) UseUpQuota() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.desk.quota = true
}

// outgoing is the body of both calls; each has one of the first two.
type outgoing struct {
	ReplyToken string `json:"replyToken"`
	To         string `json:"to"`
	Messages   []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"messages"`
}

// reply answers POST /v2/bot/message/reply.
func (p *Platform) reply(w http.ResponseWriter, r *http.Request) {
	m, ok := p.read(w, r)
	if !ok {
		return
	}
	// Only calls that send to a user of our choice know it.
	if len(r.Header.Values("X-Line-Retry-Key")) > 0 {
		fail(w, http.StatusBadRequest, "The X-Line-Retry-Key header is not supported by this endpoint")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	user, ok := p.desk.tokens[m.ReplyToken]
	if !ok {
		fail(w, http.StatusBadRequest, "Invalid reply token")
		return
	}
	p.spend(m.ReplyToken)
	answer(w, http.StatusOK, p.deliver(user, m))
}

var (
	retryKey = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	userID   = regexp.MustCompile(`^U[0-9a-f]{32}$`)
)

// push answers POST /v2/bot/message/push.
func (p *Platform) push(w http.ResponseWriter, r *http.Request) {
	m, ok := p.read(w, r)
	if !ok {
		return
	}
	keys := r.Header.Values("X-Line-Retry-Key")
	if len(keys) > 1 || len(keys) == 1 && !retryKey.MatchString(keys[0]) {
		fail(w, http.StatusBadRequest, "Invalid retry key")
		return
	}
	if !userID.MatchString(m.To) {
		fail(w, http.StatusBadRequest, "The property, 'to', in the request body is invalid (line: -, column: -)")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accept(w, strings.Join(keys, ""), m)
}

// accept sends a push, unless that has happened already.
func (p *Platform) accept(w http.ResponseWriter, key string, m outgoing) {
	if before, ok := p.desk.accepted[key]; ok {
		w.Header().Set("X-Line-Accepted-Request-Id", before.request)
		answer(w, http.StatusConflict, before.body)
		return
	}
	if !p.desk.users[m.To] {
		fail(w, http.StatusBadRequest, "Failed to send messages")
		return
	}
	if p.desk.quota {
		fail(w, http.StatusTooManyRequests, "You have reached your monthly limit.")
		return
	}
	body := p.deliver(m.To, m)
	if key != "" {
		again := append([]byte(`{"message":"The retry key is already accepted",`), body[1:]...)
		p.desk.accepted[key] = accepted{request: requestID(sim.Digest(32, key)), body: again}
	}
	answer(w, http.StatusOK, body)
}

// deliver gives the messages to a user and returns LINE's answer.
func (p *Platform) deliver(user string, m outgoing) []byte {
	sent := make([]Object, len(m.Messages))
	for i, one := range m.Messages {
		p.desk.count++
		n := strconv.Itoa(p.desk.count)
		id := "59" + sim.Decimal(16, p.BotID, n, "sent")
		sent[i] = Object{"id": id, "quoteToken": "q" + sim.Digest(20, id)}
		p.Deliver(sim.Sent{ID: id, Account: p.BotID, Consumer: user, Text: one.Text})
	}
	body, _ := json.Marshal(Object{"sentMessages": sent})
	return body
}

// read reads the body of a call that sends, and answers it where it is wrong.
func (p *Platform) read(w http.ResponseWriter, r *http.Request) (outgoing, bool) {
	var m outgoing
	if !p.allows(w, r) {
		return m, false
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 2<<20)).Decode(&m); err != nil {
		fail(w, http.StatusBadRequest, "The request body could not be parsed as JSON (line: 1, column: 1)")
		return m, false
	}
	if n := len(m.Messages); n < 1 || n > 5 {
		failAt(w, "messages", "Size must be between 1 and 5")
		return m, false
	}
	for i, one := range m.Messages {
		property := fmt.Sprintf("messages[%d].text", i)
		switch n := len(utf16.Encode([]rune(one.Text))); {
		case one.Type != "text":
			failAt(w, fmt.Sprintf("messages[%d].type", i), "Must be one of the following values: [text]")
			return m, false
		case n == 0:
			failAt(w, property, "May not be empty")
			return m, false
		case n > 5000:
			failAt(w, property, "Length must be between 0 and 5000")
			return m, false
		}
	}
	return m, true
}

// allows answers calls with another token than the bot's.
func (p *Platform) allows(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") != "Bearer "+p.Token {
		fail(w, http.StatusUnauthorized, "Authentication failed. Confirm that the access token in the authorization header is valid.")
		return false
	}
	if r.Body != nil && r.ContentLength > 0 && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		fail(w, http.StatusUnsupportedMediaType, "The content type is not supported")
		return false
	}
	return true
}

// answer writes a JSON document.
func answer(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Line-Request-Id", requestID(sim.Secret()))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// requestID writes 32 hex digits as a UUID.
func requestID(hex string) string {
	return strings.Join([]string{hex[:8], hex[8:12], hex[12:16], hex[16:20], hex[20:]}, "-")
}

func fail(w http.ResponseWriter, status int, message string) {
	body, _ := json.Marshal(Object{"message": message})
	answer(w, status, body)
}

// failAt is the answer to one wrong property.
func failAt(w http.ResponseWriter, property, message string) {
	body, _ := json.Marshal(Object{
		"message": "The request body has 1 error(s)",
		"details": []Object{{"message": message, "property": property}},
	})
	answer(w, http.StatusBadRequest, body)
}

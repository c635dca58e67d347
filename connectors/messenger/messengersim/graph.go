package messengersim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lightlock/lightlock/connectors/sim"
)

func (p *Platform) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+cdn+"/v/t1.15752-9/{name}", p.download)
	mux.HandleFunc("GET /{version}/{node}", p.asPage(p.message))
	mux.HandleFunc("POST /{version}/{node}/messages", p.asPage(p.send))
	mux.HandleFunc("GET /{version}/{node}/subscribed_apps", p.asPage(p.showPage))
	mux.HandleFunc("POST /{version}/{node}/subscribed_apps", p.asPage(p.subscribePage))
	mux.HandleFunc("GET /{version}/{node}/subscriptions", p.asApp(p.showApp))
	mux.HandleFunc("POST /{version}/{node}/subscriptions", p.asApp(p.subscribeApp))
	return mux
}

// graphError is Graph's error object.
type graphError struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    int    `json:"code"`
	Subcode int    `json:"error_subcode,omitempty"`
	Trace   string `json:"fbtrace_id"`
}

// The errors that depend on whom one writes to.
// https://developers.facebook.com/docs/messenger-platform/error-codes

func noConsumer() graphError {
	return graphError{Code: 100, Subcode: 2018001, Message: "(#100) No matching user found"}
}

func blocked() graphError {
	return graphError{Code: 551, Subcode: 1545041, Message: "(#551) This person isn't available right now."}
}

func windowOver() graphError {
	return graphError{Code: 10, Subcode: 2018278, Message: "(#10) This message is sent outside of allowed window."}
}

// Block makes a consumer of a Page one who cannot be written to any more.
func (p *Platform) Block(psid string) { p.refuse(psid, blocked()) }

// CloseWindow lets 24 hours pass since a consumer of a Page wrote last.
func (p *Platform) CloseWindow(psid string) { p.refuse(psid, windowOver()) }

func (p *Platform) refuse(psid string, e graphError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.people[psid] = e
}

var version = regexp.MustCompile(`^v[0-9]+\.0$`)

// asPage lets through what shows the token of a Page.
func (p *Platform) asPage(next func(http.ResponseWriter, *http.Request, Page)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i := slices.IndexFunc(p.Pages, func(page Page) bool { return r.Header.Get("Authorization") == "Bearer "+page.Token })
		switch {
		case !version.MatchString(r.PathValue("version")):
			fail(w, graphError{Code: 2500, Message: "Unknown path components: /" + r.PathValue("node")})
		case i < 0:
			fail(w, graphError{Code: 190, Message: "Invalid OAuth access token - Cannot parse access token"})
		default:
			next(w, r, p.Pages[i])
		}
	}
}

// asApp lets through what shows the app's own token.
func (p *Platform) asApp(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+p.AppID+"|"+p.AppSecret:
			fail(w, graphError{Code: 190, Message: "Invalid OAuth access token signature."})
		case r.PathValue("node") != p.AppID:
			fail(w, unknownObject(r.PathValue("node")))
		default:
			next(w, r)
		}
	}
}

// send is the Send API.
// https://developers.facebook.com/docs/messenger-platform/reference/send-api
func (p *Platform) send(w http.ResponseWriter, r *http.Request, page Page) {
	var body struct {
		Recipient     struct{ ID string }
		MessagingType string `json:"messaging_type"`
		Message       struct{ Text string }
	}
	if node := r.PathValue("node"); node != page.ID && node != "me" {
		fail(w, unknownObject(node))
		return
	}
	if r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(&body) != nil {
		fail(w, graphError{Code: 100, Message: "(#100) The parameter recipient is required"})
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	because, known := p.people[body.Recipient.ID]
	switch n := utf8.RuneCountInString(body.Message.Text); {
	case body.MessagingType != "RESPONSE":
		fail(w, graphError{Code: 100, Message: "(#100) Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG}"})
	case n == 0 || n > 2000:
		fail(w, graphError{Code: 100, Message: "(#100) Length of param message[text] must be less than or equal to 2000"})
	case !known:
		fail(w, noConsumer())
	case because.Code != 0:
		fail(w, because)
	default:
		p.sends++
		mid := MID(body.Recipient.ID, "sent"+strconv.Itoa(p.sends))
		p.Deliver(sim.Sent{ID: mid, Account: page.ID, Consumer: body.Recipient.ID, Text: body.Message.Text})
		answer(w, http.StatusOK, Object{"recipient_id": body.Recipient.ID, "message_id": mid})
	}
}

// message tells of a message's attachments.
func (p *Platform) message(w http.ResponseWriter, r *http.Request, page Page) {
	mid := r.PathValue("node")
	addresses, ok := p.media.again(page, mid)
	if !ok || r.URL.Query().Get("fields") != "attachments" {
		fail(w, unknownObject(mid))
		return
	}
	var list []any
	for i, address := range addresses {
		list = append(list, Object{
			"id": sim.Decimal(16, mid, strconv.Itoa(i)), "mime_type": "image/jpeg", "name": "image-" + strconv.Itoa(i) + ".jpg", "size": 1,
			"image_data": Object{"width": 1, "height": 1, "max_width": 1, "max_height": 1, "image_type": 1, "render_as_sticker": false, "url": address, "preview_url": address},
		})
	}
	answer(w, http.StatusOK, Object{"id": mid, "attachments": Object{"data": list}})
}

// showPage and subscribePage are the Page's part of a webhook.
// https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps
func (p *Platform) showPage(w http.ResponseWriter, r *http.Request, page Page) {
	if r.PathValue("node") != page.ID {
		fail(w, unknownObject(r.PathValue("node")))
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	data := []any{}
	if list, ok := p.installed[page.ID]; ok {
		data = append(data, Object{"category": "Business", "name": "Acme Bot", "id": p.AppID, "subscribed_fields": list})
	}
	answer(w, http.StatusOK, Object{"data": data})
}

func (p *Platform) subscribePage(w http.ResponseWriter, r *http.Request, page Page) {
	list, ok := fieldList(r.PostFormValue("subscribed_fields"))
	switch {
	case r.PathValue("node") != page.ID:
		fail(w, unknownObject(r.PathValue("node")))
	case !ok:
		fail(w, graphError{Code: 100, Message: "(#100) Param subscribed_fields[0] must be one of {...}"})
	default:
		p.Install(page, list...)
		answer(w, http.StatusOK, Object{"success": true})
	}
}

// Install subscribes a Page to the app with these fields alone.
func (p *Platform) Install(page Page, fields ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.installed[page.ID] = fields
}

// Uninstall unsubscribes a Page, as an hour of failed webhooks does.
func (p *Platform) Uninstall(page Page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.installed, page.ID)
}

// showApp and subscribeApp are the app's part of a webhook.
// https://developers.facebook.com/docs/graph-api/reference/app/subscriptions
func (p *Platform) showApp(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	data := []any{Object{"object": "user", "callback_url": "https://elsewhere.example/", "active": true, "fields": []any{}}}
	if p.hook.address != "" {
		var list []any
		for _, name := range p.hook.fields {
			list = append(list, Object{"name": name, "version": "v25.0"})
		}
		data = append(data, Object{"object": "page", "callback_url": p.hook.address, "active": true, "fields": list})
	}
	answer(w, http.StatusOK, Object{"data": data})
}

// subscribeApp calls the new address at once, and saves nothing unless that
// echoes what it was sent.
func (p *Platform) subscribeApp(w http.ResponseWriter, r *http.Request) {
	list, ok := fieldList(r.PostFormValue("fields"))
	address := r.PostFormValue("callback_url")
	if !ok || r.PostFormValue("object") != "page" || address == "" {
		fail(w, graphError{Code: 100, Message: "(#100) Invalid parameter"})
		return
	}
	call := handshake(address, r.PostFormValue("verify_token"))
	status, body := p.Knock(call)
	if status != http.StatusOK {
		fail(w, graphError{Code: 2200, Message: "(#2200) Callback verification failed with the following errors: HTTP Status Code = " + strconv.Itoa(status)})
		return
	}
	u, err := url.Parse(call.URL)
	if err != nil || body != u.Query().Get("hub.challenge") {
		fail(w, graphError{Code: 2201, Message: "(#2201) response does not match challenge"})
		return
	}
	p.Register(address, list...)
	answer(w, http.StatusOK, Object{"success": true})
}

// Register makes address the app's webhook, with these fields alone, as
// somebody does who enters it by hand.
func (p *Platform) Register(address string, fields ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hook = hook{address, fields}
}

// fieldList reads a list of fields, all of which Meta must know.
func fieldList(text string) ([]string, bool) {
	list := strings.Split(text, ",")
	for _, name := range list {
		switch name {
		case "messages", "messaging_postbacks", "message_edits", "message_deliveries", "message_reads",
			"message_echoes", "message_reactions", "messaging_optins", "standby", "feed":
		default:
			return nil, false
		}
	}
	return list, true
}

func unknownObject(node string) graphError {
	return graphError{Code: 100, Subcode: 33, Message: "Unsupported request. Object with ID '" + node +
		"' does not exist, cannot be loaded due to missing permissions, or does not support this operation."}
}

// fail answers with an error. Graph says most of them by 400.
func fail(w http.ResponseWriter, e graphError) {
	e.Type, e.Trace = "OAuthException", "A"+sim.Digest(20, e.Message)
	if e.Code == 100 {
		e.Type = "GraphMethodException"
	}
	answer(w, http.StatusBadRequest, Object{"error": e})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

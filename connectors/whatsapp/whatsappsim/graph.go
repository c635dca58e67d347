package whatsappsim

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/lightlock/lightlock/connectors/sim"
)

var version = regexp.MustCompile(`^v[0-9]+\.0$`)

// caller returns the number whose token the request shows, or answers that
// there is none.
func (p *Platform) caller(w http.ResponseWriter, r *http.Request) (Number, bool) {
	n, ok := p.bearer(r)
	if !ok {
		failToken(w)
		return n, false
	}
	return n, versioned(w, r)
}

// versioned answers a path without a version.
func versioned(w http.ResponseWriter, r *http.Request) bool {
	if version.MatchString(r.PathValue("version")) {
		return true
	}
	fail(w, http.StatusBadRequest, graphError{Code: 2500, Message: "Unknown path components"})
	return false
}

// bearer returns the number whose token the request shows.
func (p *Platform) bearer(r *http.Request) (Number, bool) {
	for _, n := range p.Numbers {
		// Assumed: requests by no program at all are turned away.
		if r.Header.Get("Authorization") == "Bearer "+n.Token && r.UserAgent() != "" {
			return n, true
		}
	}
	return Number{}, false
}

// graphError is Graph's error object.
type graphError struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    int    `json:"code"`
	Subcode int    `json:"error_subcode,omitempty"`
	Trace   string `json:"fbtrace_id"`
}

func fail(w http.ResponseWriter, status int, e graphError) {
	e.Type, e.Trace = "OAuthException", "A"+sim.Digest(20, e.Message)
	if e.Code == 100 {
		e.Type = "GraphMethodException"
	}
	answer(w, status, Object{"error": e})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func failToken(w http.ResponseWriter) {
	fail(w, http.StatusUnauthorized, graphError{Code: 190, Message: "Invalid OAuth access token - Cannot parse access token"})
}

func failMissing(w http.ResponseWriter, r *http.Request, id string) {
	fail(w, http.StatusBadRequest, graphError{
		Code: 100, Subcode: 33,
		Message: "Unsupported " + strings.ToLower(r.Method) + " request. Object with ID '" + id +
			"' does not exist, cannot be loaded due to missing permissions, or does not support this operation.",
	})
}

func failParam(w http.ResponseWriter, what string) {
	fail(w, http.StatusBadRequest, graphError{Code: 100, Message: "(#100) " + what})
}

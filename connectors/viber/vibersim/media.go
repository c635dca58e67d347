package vibersim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lightlock/lightlock/connectors/sim"
)

// mediaPath is where a picture of this id lies in one size.
func mediaPath(size, id string) string {
	name := sim.Digest(64, "picture", size, id)
	return "/5/media/2/short/any/sig/image/" + size + "/" + name[60:] + "/" + name + ".jpg"
}

// MediaURL returns an address of the media host that is good until then.
func (p *Platform) MediaURL(path string, until time.Time) string {
	expires := strconv.FormatInt(until.Unix(), 10)
	return p.URL + path + "?" + p.mediaQuery(path, expires)
}

// mediaQuery is the one query that opens path until expires. CloudFront writes
// its signature in Base64 with three characters of its own.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html
func (p *Platform) mediaQuery(path, expires string) string {
	mac := hmac.New(sha256.New, []byte(p.mediaKey))
	mac.Write([]byte(path + "?" + expires))
	signature := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	signature = strings.NewReplacer("+", "-", "=", "_", "/", "~").Replace(signature)
	return "Expires=" + expires + "&Signature=" + signature + "&Key-Pair-Id=APKAEXAMPLE"
}

// media serves a picture to whoever has its address, to the byte.
func (p *Platform) media(w http.ResponseWriter, r *http.Request) {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	expires := r.URL.Query().Get("Expires")
	seconds, err := strconv.ParseInt(expires, 10, 64)
	data, ok := p.pictures.Get(path)
	if err != nil || !ok || query != p.mediaQuery(path, expires) || time.Now().After(time.Unix(seconds, 0)) {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>`))
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(data) //nolint:gosec // What a consumer sent is served as it is.
}

package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

//go:embed shell.html assets
var files embed.FS

// asset is a file as it is served.
type asset struct {
	contentType string
	etag        string
	plain       []byte
	compressed  []byte
}

// assets are what is served.
//
// house: variable because this is a function whose value is made once; it is part of
// the program, and the same for every gateway of a process
var assets = sync.OnceValues(loadAssets)

// loadAssets reads, joins and compresses all that is served, once.
func loadAssets() (map[string]asset, error) {
	entries, err := files.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	all, sources := map[string]asset{}, map[string]string{}
	for _, e := range entries {
		b, err := files.ReadFile("assets/" + e.Name())
		if err != nil {
			return nil, err
		}
		if name, script := strings.CutSuffix(e.Name(), ".js"); script {
			sources[name] = quiet(string(b))
		} else {
			all[e.Name()] = newAsset(e.Name(), b)
		}
	}
	// The page, the worker that its tabs share, and what both need.
	if sources["app"], err = join(sources, "app", "stream"); err != nil {
		return nil, err
	}
	for _, name := range []string{"app", "worker", "stream"} {
		all[name+".js"] = newAsset(name+".js", []byte(sources[name]))
	}
	return all, nil
}

func newAsset(name string, b []byte) asset {
	sum := sha256.Sum256(b)
	return asset{contentType: typeOf(name), etag: `"` + hex.EncodeToString(sum[:12]) + `"`, plain: b, compressed: compress(b)}
}

// typeOf does not ask the system's tables, which may say anything.
func typeOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// aside is a comment that stands behind code, in the only places where the
// scripts have one, with nothing in it that could be the end of a string.
var aside = regexp.MustCompile("([;,{]) // [^'\"`]*$")

// quiet leaves comments and indentation at home: they are half of what is
// written, and agents do not read them.
func quiet(source string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, " // ") {
			line = aside.ReplaceAllString(line, "$1")
		}
		if line != "" && !strings.HasPrefix(line, "//") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func compress(b []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	_, _ = w.Write(b) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

func accepts(r *http.Request) bool {
	return slices.ContainsFunc(strings.Split(r.Header.Get("Accept-Encoding"), ","), func(one string) bool {
		name, quality, _ := strings.Cut(strings.TrimSpace(one), ";")
		return strings.TrimSpace(name) == "gzip" && strings.ReplaceAll(quality, " ", "") != "q=0"
	})
}

// asset answers with one of the page's files. A browser asks each time whether it
// is still the same, so that the parts of a page are always of one version.
func (p *page) asset(ec echo.Context) error {
	a, ok := p.assets[ec.Param("name")]
	if !ok {
		return echo.ErrNotFound
	}
	h := ec.Response().Header()
	header(h)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	etag, body := a.etag, a.plain
	if accepts(ec.Request()) {
		etag, body = `W/`+a.etag, a.compressed
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if match := ec.Request().Header.Get("If-None-Match"); strings.Contains(match, a.etag) {
		h.Del("Content-Encoding")
		return ec.NoContent(http.StatusNotModified)
	}
	return ec.Blob(http.StatusOK, a.contentType, body)
}

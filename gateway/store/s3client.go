package store

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/lightlock/lightlock/config"
)

const (
	// connections is how many a store has at most, for reading and for writing
	// each; of these so many stay open while they are idle.
	connections, idleConnections = 64, 16
	connectTime                  = 10 * time.Second
	// repeats is how often a request is sent before the error is the caller's: a
	// second time, because a server may close an idle connection at any moment.
	// More is the journal's business.
	repeats = 2
	// firstPause and lastPause are before another try: to repeat a request, or to
	// see what became of a picture that somebody else was putting.
	firstPause, lastPause = 20 * time.Millisecond, 640 * time.Millisecond
	// defaultRegion is what servers that have no regions expect.
	defaultRegion = "us-east-1"
)

// client is minio's with connections of its own.
type client struct {
	core  *minio.Core
	close func()
}

func newClient(c config.S3) (*client, error) {
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil || endpoint.Host == "" {
		return nil, errors.New("the endpoint is no address")
	}
	transport, err := newTransport(c)
	if err != nil {
		return nil, err
	}
	core, err := minio.NewCore(endpoint.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(c.AccessKey.Reveal(), c.SecretKey.Reveal(), ""),
		Secure:       endpoint.Scheme == "https",
		Transport:    wary{transport},
		Region:       cmp.Or(c.Region, s3utils.GetRegionFromURL(*endpoint), defaultRegion),
		BucketLookup: lookup(c.Addressing),
		MaxRetries:   repeats,
	})
	if err != nil {
		return nil, errors.New("the endpoint is not one of an S3 server")
	}
	return &client{core, transport.CloseIdleConnections}, nil
}

func lookup(addressing string) minio.BucketLookupType {
	switch addressing {
	case "path":
		return minio.BucketLookupPath
	case "virtual":
		return minio.BucketLookupDNS
	default:
		return minio.BucketLookupAuto
	}
}

// newTransport has no deadline for a whole request: each call has its own.
func newTransport(c config.S3) (*http.Transport, error) {
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: connectTime}).DialContext,
		TLSHandshakeTimeout: connectTime,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		MaxConnsPerHost:     connections,
		MaxIdleConnsPerHost: idleConnections,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}
	if c.Proxy != "" {
		proxy, err := url.Parse(c.Proxy)
		if err != nil {
			return nil, errors.New("the proxy is no address")
		}
		t.Proxy = http.ProxyURL(proxy)
	}
	if c.CAFile == "" {
		return t, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, err
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New(c.CAFile + ": no certificate in it")
	}
	t.TLSClientConfig.RootCAs = roots
	return t, nil
}

// wary caps what a server may answer.
type wary struct{ next http.RoundTripper }

// errCut stands for an answer that broke off. It does not say "EOF", of which
// minio would make a text with the object's name in it.
var errCut = errors.New("the server has closed the connection")

// errTooLong says that an answer is longer than any that we can have asked for.
var errTooLong = errors.New("the server's answer is too long")

// RoundTrip implements http.RoundTripper.
func (w wary) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.next.RoundTrip(r)
	switch {
	case err != nil && strings.Contains(err.Error(), "EOF"):
		return nil, errCut
	case err != nil:
		return nil, err
	case answer.ContentLength > maxObject:
		_ = answer.Body.Close()
		return nil, errTooLong
	}
	answer.Body = http.MaxBytesReader(nil, answer.Body, maxObject)
	return answer, nil
}

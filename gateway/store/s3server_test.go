package store_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/store"
	"github.com/lightlock/lightlock/gateway/store/s3test"
)

func TestWrongConfiguration(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	good := server.Config()
	for name, test := range map[string]struct {
		change func(*config.S3)
		words  string
	}{
		"access key": {func(c *config.S3) { c.AccessKey = config.NewSecret(fakeAccess) }, "it does not know store.s3.access_key"},
		"secret key": {func(c *config.S3) { c.SecretKey = config.NewSecret(fakeSecret) }, "403 SignatureDoesNotMatch: store.s3.secret_key does not belong"},
		"bucket":     {func(c *config.S3) { c.Bucket = "elsewhere" }, "404 NoSuchBucket: make the bucket"},
		"region":     {func(c *config.S3) { c.Region = "eu-central-1" }, "correct store.s3.region"},
		"port":       {func(c *config.S3) { c.Endpoint = "http://127.0.0.1:1" }, "connection refused"},
		"name":       {func(c *config.S3) { c.Endpoint = "http://no-such-host.invalid" }, "no-such-host.invalid"},
		"TLS":        {func(c *config.S3) { c.Endpoint = "https://" + server.Address() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			test.change(&c)
			s := openS3(t, c)
			s.Hurry(limit, limit)
			wantRefused(t, s, test.words, server.AccessKey, server.SecretKey)
		})
	}
	wantRightAgain(t, openS3(t, good))
}

// wantRightAgain puts, gets and deletes a picture, patiently.
func wantRightAgain(t *testing.T, s *store.S3) {
	t.Helper()
	s.Hurry(limit, limit)
	if err := errors.Join(s.Check(t.Context()), s.Put(t.Context(), key(), picture)); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	wantPicture(t, s, key())
	if err := s.DeleteAttempt(t.Context(), key().Queue, attemptA); err != nil {
		t.Errorf("delete: %v", err)
	}
}

func TestServerGoneAndBack(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	s := openS3(t, server.Config())
	s.Hurry(limit, limit)
	if err := s.Put(t.Context(), key(), picture); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	wantRefused(t, s, "", server.SecretKey)
	server.Restart()
	wantPicture(t, s, key())
	wantRightAgain(t, s)
}

func TestServerThatHangs(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	s := openS3(t, server.Config())
	server.Pause()
	for call, err := range calls(t, s) {
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "has not answered in 300ms") {
			t.Errorf("%s: got %v, want that the server has not answered in 300ms", call, err)
		}
	}
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Put(soon, key(), picture); !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "300ms") {
		t.Errorf("got %v, want the caller's own deadline", err)
	}
	server.Continue()
	wantRightAgain(t, s)
}

// Slow readers have connections of their own: they hold up each other, and no
// worker.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	s := openS3(t, s3test.Start(t).Config())
	s.Hurry(limit, limit)
	large := key()
	large.Photo = 1
	if err := errors.Join(s.Put(t.Context(), key(), picture), s.Put(t.Context(), large, make([]byte, store.MaxBytes))); err != nil {
		t.Fatal(err)
	}
	for range store.Connections {
		f, err := s.Get(t.Context(), large)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	s.Hurry(short, short)
	if _, err := s.Get(t.Context(), key()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one reader too many: got %v, want that it ends in time", err)
	}
	s.Hurry(limit, limit)
	other := key()
	other.Attempt = attemptB
	if err := errors.Join(s.Put(t.Context(), other, picture), s.Put(t.Context(), other, picture), s.Check(t.Context())); err != nil {
		t.Errorf("a worker: got %v, want nil", err)
	}
}

// A repeat of what was done, because its answer was lost, is the same picture.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	target, err := url.Parse(server.Config().Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var lost atomic.Int32
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ModifyResponse: func(answer *http.Response) error {
			if answer.Request.Method == http.MethodGet || lost.Add(1)%2 == 0 {
				return nil
			}
			return errors.New("lost")
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	})
	defer proxy.Close()
	c := server.Config()
	c.Endpoint = proxy.URL
	s := openS3(t, c)
	s.Hurry(limit, limit)
	if err := s.Put(t.Context(), key(), picture); err != nil || lost.Load() != 2 {
		t.Errorf("put: got %v after %d requests, want nil after two", err, lost.Load())
	}
	wantPicture(t, s, key())
	if err := s.DeleteAttempt(t.Context(), key().Queue, attemptA); err != nil {
		t.Errorf("delete: %v", err)
	}
}

// resetting is a server that may have a picture already, knows it from a request's
// head, and resets the connection before it has read the rest. So the client never
// sees what it answers.
func resetting(there []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut:
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = errors.Join(conn.(*net.TCPConn).SetLinger(0), conn.Close())
			}
		case there == nil:
			refusal(http.StatusNotFound, "NoSuchKey")(w, r)
		default:
			serve(int64(len(there)), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(there) })(w, r)
		}
	}
}

// A refusal that is lost with its connection is found out by looking.
func TestLostRefusals(t *testing.T) {
	t.Parallel()
	large := make([]byte, store.MaxBytes)
	for name, test := range map[string]struct {
		there []byte
		want  func(error) bool
	}{
		"the same is there": {large, func(err error) bool { return err == nil }},
		"another is there":  {picture, func(err error) bool { return errors.Is(err, store.ErrExists) }},
		"there is none":     {nil, func(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "store: put: ") }},
	} {
		s := fake(t, resetting(test.there))
		s.Hurry(limit, limit)
		if err := s.Put(t.Context(), key(), large); !test.want(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestServerWithAFullDisk(t *testing.T) {
	t.Parallel()
	disk := gatewaytest.SmallDisk(t, 6)
	server := s3test.StartIn(t, disk)
	s := openS3(t, server.Config())
	s.Hurry(limit, limit)
	if err := s.Put(t.Context(), key(), picture); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	_ = os.WriteFile(filler, make([]byte, 8<<20), 0o600) // as much as fits
	large := key()
	large.Photo = 1
	for call, err := range map[string]error{"Put": s.Put(t.Context(), large, make([]byte, 3<<20)), "Check": s.Check(t.Context())} {
		if err == nil || !strings.Contains(err.Error(), "the server answers 5") {
			t.Errorf("%s: got %v, want the server's refusal", call, err)
		}
		t.Log(err)
	}
	if _, err := s.Get(t.Context(), large); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("what did not fit: got %v, want ErrNotFound", err)
	}
	wantPicture(t, s, key())
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Put(t.Context(), large, make([]byte, 3<<20)), s.Check(t.Context())); err != nil {
		t.Errorf("once there is room: got %v, want nil", err)
	}
}

func TestServerThatIsReadOnly(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	if err := openS3(t, server.Config()).Put(t.Context(), key(), picture); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	server.Extra("--readonly")
	server.Restart()
	s := openS3(t, server.Config())
	s.Hurry(limit, limit)
	other := key()
	other.Photo = 1
	for call, err := range map[string]error{
		"Put": s.Put(t.Context(), other, picture), "Check": s.Check(t.Context()), "DeleteAttempt": s.DeleteAttempt(t.Context(), key().Queue, attemptA),
	} {
		if err == nil || !strings.Contains(err.Error(), "the server answers 4") {
			t.Errorf("%s: got %v, want the server's refusal", call, err)
		}
	}
	wantPicture(t, s, key())
}

func TestTLS(t *testing.T) {
	t.Parallel()
	certificate, private := selfSigned(t)
	server := s3test.Start(t, "--cert", certificate, "--key", private)
	c := server.Config()
	s := openS3(t, c)
	s.Hurry(limit, limit)
	wantRefused(t, s, "certificate", server.SecretKey)
	c.CAFile = certificate
	wantRightAgain(t, openS3(t, c))
	for _, wrong := range []string{private, "no-such-file"} {
		c.CAFile = wrong
		if _, err := store.OpenS3(c); err == nil {
			t.Errorf("%s was taken for a certificate", wrong)
		}
	}
}

// selfSigned makes a certificate for loopback.
func selfSigned(t *testing.T) (certificate, private string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalECPrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	certificate, private = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for name, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: public}, private: {Type: "EC PRIVATE KEY", Bytes: text}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, private
}

// The environment's proxy is never asked, a configured one always.
func TestProxies(t *testing.T) {
	server := s3test.Start(t)
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		r.RequestURI = ""
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	c := server.Config()
	wantRightAgain(t, openS3(t, c))
	if asked.Load() != 0 {
		t.Error("the environment's proxy was asked")
	}
	c.Proxy = proxy.URL
	wantRightAgain(t, openS3(t, c))
	if asked.Load() < 5 {
		t.Errorf("the configured proxy was asked %d times, want for every request", asked.Load())
	}
}

// Package s3test helps tests that need a real S3 server.
//
// It promises a server of the test's own, on loopback, with real keys and one
// bucket, whose objects are files of a folder that is removed with it. The server
// is versitygw, of the version in .ci/servers.mod; the first start on a machine
// builds it, which takes a minute. Only tests import it.
package s3test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/subprocess"
)

const (
	// Bucket is the bucket that is there from the start.
	Bucket = "photos"
	// health is where the server says that it is up.
	health = "/health"
	// patience is how long a start may take on a crowded machine.
	patience = time.Minute
)

// Server is an S3 server that a test can kill, pause and start again.
type Server struct {
	// Folder is where the server keeps its files. The objects of Bucket are below
	// Folder/photos, each under its name.
	Folder string
	// AccessKey and SecretKey are those of its only user.
	AccessKey, SecretKey string

	t       testing.TB
	scheme  string
	address string
	extra   []string
	process *exec.Cmd
	ended   chan struct{}
	output  bytes.Buffer
}

// Start starts a server that ends with the test. Extra are arguments of versitygw
// for all backends, such as "--readonly".
func Start(t testing.TB, extra ...string) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "s3test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return StartIn(t, dir, extra...)
}

// StartIn starts a server that keeps its files in a folder of the test's, such as
// a small disk.
func StartIn(t testing.TB, folder string, extra ...string) *Server {
	t.Helper()
	scheme := "http://"
	if slices.Contains(extra, "--cert") {
		scheme = "https://"
	}
	s := &Server{
		scheme: scheme,
		Folder: filepath.Join(folder, "data"), AccessKey: rand.Text(), SecretKey: "secret-" + rand.Text(),
		t: t, address: freeAddress(t), extra: extra,
	}
	for _, dir := range []string{s.Folder, s.sidecar()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(s.Kill)
	s.Restart()
	return s
}

// sidecar holds what the server notes about objects: not every file system of a
// test machine can keep it beside a file.
func (s *Server) sidecar() string { return filepath.Join(filepath.Dir(s.Folder), "notes") }

// Config is how a gateway reaches the server.
func (s *Server) Config() config.S3 {
	return config.S3{
		Endpoint: s.scheme + s.address, Bucket: Bucket, Region: "us-east-1",
		AccessKey: config.NewSecret(s.AccessKey), SecretKey: config.NewSecret(s.SecretKey),
	}
}

// Store is Config with an operator's key.
func (s *Server) Store() config.Store {
	c := s.Config()
	return config.Store{S3: &c, Keys: []config.StoreKey{{ID: "test", Key: config.NewSecret(base64.StdEncoding.EncodeToString([]byte(s.SecretKey)[:32]))}}}
}

// Address returns the server's host and port, the same after a restart.
func (s *Server) Address() string { return s.address }

// Extra gives the server other arguments from its next start on.
func (s *Server) Extra(arguments ...string) { s.extra = arguments }

// Kill ends the server as a power cut would, but for the disk. One that has ended
// already stays so.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	<-s.ended
	s.process = nil
}

// Restart starts the server again with the objects that it had.
func (s *Server) Restart() {
	s.t.Helper()
	program, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	arguments := append([]string{
		"--port", s.address, "--access", s.AccessKey, "--secret", s.SecretKey, "--region", "us-east-1", "--health", health, "--quiet",
	}, s.extra...)
	s.process = exec.Command(program, append(arguments, "posix", "--sidecar", s.sidecar(), s.Folder)...) //nolint:gosec,noctx // the test's own server; Kill ends it
	s.process.Env = []string{}
	s.process.Stdout, s.process.Stderr = &s.output, &s.output
	s.ended = make(chan struct{})
	process, ended := s.process, s.ended
	err = subprocess.Start(process, func() {
		_ = process.Wait()
		close(ended)
	})
	if err != nil {
		s.process = nil
		s.t.Fatalf("start versitygw: %v", err)
	}
	s.await()
	s.makeBucket()
}

// await waits until the server answers.
func (s *Server) await() {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		err := s.answers(time.Second)
		if err == nil {
			return
		}
		select {
		case <-s.ended:
			s.t.Fatalf("versitygw ended at its start: %s", s.output.String())
		default:
		}
		if time.Now().After(end) {
			s.t.Fatalf("versitygw does not answer: %v", err)
		}
	}
}

// answers asks the server how it is.
func (s *Server) answers(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.scheme+s.address+health, nil)
	if err != nil {
		return err
	}
	answer, err := trusting().RoundTrip(r)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// trusting believes any certificate: whether a gateway does is for tests of it.
func trusting() *http.Transport {
	return &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the test's own server, on loopback
}

func (s *Server) makeBucket() {
	s.t.Helper()
	client, err := minio.New(s.address, &minio.Options{
		Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""), Region: "us-east-1", Secure: s.scheme == "https://", Transport: trusting(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.bucketIsThere() {
		return
	}
	if err := client.MakeBucket(ctx, Bucket, minio.MakeBucketOptions{}); err != nil {
		s.t.Fatalf("make bucket: %v", err)
	}
}

func (s *Server) bucketIsThere() bool {
	info, err := os.Stat(filepath.Join(s.Folder, Bucket))
	return err == nil && info.IsDir()
}

// Pause stops the server as if its machine had fallen asleep; connections stay
// open and nothing answers.
func (s *Server) Pause() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
	for s.answers(100*time.Millisecond) == nil {
		// The signal is on its way.
	}
}

// Continue ends a Pause.
func (s *Server) Continue() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(sig); err != nil {
		s.t.Fatalf("%v versitygw: %v", sig, err)
	}
}

// freeAddress returns an address of loopback that nobody listens at.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// binary finds versitygw, which Go keeps among what it has built.
//
// house: variable because the answer is the same for the whole process, and
// asking takes a second.
var binary = sync.OnceValues(func() (string, error) {
	root, err := projectRoot()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "tool", "-modfile=.ci/servers.mod", "-n", "versitygw")
	cmd.Dir = root
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("versitygw cannot be built: %w\n%s\ntry: go tool -modfile=.ci/servers.mod versitygw --version", err, complaint.String())
	}
	return strings.TrimSpace(string(out)), nil
})

// projectRoot finds the folder of go.mod.
func projectRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no go.mod above this folder")
}

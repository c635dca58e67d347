package cli

import (
	"net"
	"os"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
	"github.com/lightlock/lightlock/gateway/store/s3test"
)

// freeAddress is one on loopback where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// tcpRedis is a Redis that is reached by TCP.
func tcpRedis(t *testing.T) string {
	t.Helper()
	address := freeAddress(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	queuetest.Start(t, "--bind", "127.0.0.1", "--port", port, "--maxmemory", "100mb", "--maxmemory-policy", "noeviction")
	return address
}

// Why a Redis does not do is said, with the key that mends it.
func TestCheckSaysWhyRedisDoesNotDo(t *testing.T) {
	plain, closing := tcpRedis(t), closingServer(t)
	locked := queuetest.Redis(t)
	queuetest.Inspect(t, locked).Set("requirepass", secretCanary)
	for _, c := range []struct {
		name, redis string
		code        int
		want        []string
	}{
		{"no Sentinel", "address: " + plain + "\n  master: main", exitFindings, []string{"no Sentinel at the addresses of redis", "fix  leave out redis.master, or "}},
		{"nobody there", "address: " + freeAddress(t), exitDone, []string{" does not answer: connection refused\n"}},
		{"no such host", "address: redis.invalid:6379", exitDone, []string{"redis at redis.invalid:6379 does not answer: "}},
		{"TLS to a plain one", "address: " + plain + "\n  tls: true", exitDone, []string{" does not answer: nothing came in time; it may not speak TLS\n"}},
		{"it closes", "address: " + closing, exitDone, []string{" does not answer: it closes the connection; if it wants TLS, set redis.tls\n"}},
		{"no password", "address: " + locked, exitFindings, []string{" refuses the user or password\n", "fix  set redis.password\n"}},
		{"another password", "address: " + locked + "\n  password: ${TEST_ACCESS}", exitFindings, []string{" refuses the user or password\n", "fix  correct redis.password\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			configured(t, goodGateway+"redis:\n  "+c.redis+"\n", goodLine)
			r := lightlock(t, "check")
			discreet(t, r)
			wantExit(t, r, c.code)
			hasAll(t, r.out, c.want...)
		})
	}
	configured(t, goodGateway+"redis:\n  address: "+locked+"\n", goodLine)
	for _, command := range []string{"queue", "dead"} {
		r := lightlock(t, command)
		wantExit(t, r, exitFailed)
		hasAll(t, r.err, "redis refuses the user or password; correct redis.password")
	}
}

// closingServer closes each connection at once.
func closingServer(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

func TestCheckAsksTheBucket(t *testing.T) {
	server := s3test.Start(t)
	good := server.Config()
	wrong, nowhere, nobody := good, good, good
	wrong.SecretKey = config.NewSecret("another-" + secretCanary)
	nowhere.Bucket = "nowhere-to-be-found"
	nobody.Endpoint = "http://" + freeAddress(t)
	for _, c := range []struct {
		name string
		s3   config.S3
		code int
		want []string
	}{
		{"good", good, exitDone, []string{", a picture was put there and deleted again\n", "no problems in"}},
		{"wrong key", wrong, exitFindings, []string{"SignatureDoesNotMatch: store.s3.secret_key does not belong to access_key\n", "fix  correct store.s3\n"}},
		{"no bucket", nowhere, exitFindings, []string{"NoSuchBucket: make the bucket, or correct store.s3.bucket\n"}},
		{"nobody there", nobody, exitDone, []string{"warning: bucket ", "connection refused\n", "no problems, 1 warning in"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			configured(t, goodGateway+"redis:\n  address: "+queuetest.Redis(t)+"\n  durability: trusted\nstore:\n  s3:\n    endpoint: "+c.s3.Endpoint+
				"\n    bucket: "+c.s3.Bucket+"\n    region: us-east-1\n    access_key: ${TEST_S3}\n    secret_key: ${TEST_S3_SECRET}\n  keys: [{id: one, key: \"${TEST_STORE_KEY}\"}]\n", goodLine)
			t.Setenv("TEST_STORE_KEY", server.Store().Keys[0].Key.Reveal())
			t.Setenv("TEST_S3", c.s3.AccessKey.Reveal())
			t.Setenv("TEST_S3_SECRET", c.s3.SecretKey.Reveal())
			r := lightlock(t, "check")
			discreet(t, r)
			wantExit(t, r, c.code)
			hasAll(t, r.out, c.want...)
		})
	}
}

func TestCheckFindsFoldersThatCannotBeUsed(t *testing.T) {
	for _, c := range []struct{ name, gateway, want string }{
		{"a file", "spool: {folder: lightlock.yaml}\n", "spool.folder: lightlock.yaml is no folder\n"},
		{"below a file", "spool: {folder: lightlock.yaml/spool}\n", "spool.folder: stat lightlock.yaml/spool: not a directory\n"},
		{"data is a file", "data: lightlock.yaml\n", "data: stat lightlock.yaml/keys: not a directory\n"},
		{"another user's", "spool: {folder: closed/a/b}\n", "spool.folder: this user may not write in closed\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "another user's" && os.Geteuid() == 0 {
				t.Skip("root may write anywhere")
			}
			configured(t, goodGateway+c.gateway, goodLine)
			if err := os.Mkdir("closed", 0o500); err != nil {
				t.Fatal(err)
			}
			r := lightlock(t, "check")
			wantExit(t, r, exitFindings)
			hasAll(t, r.out, "lightlock.yaml:6:1: "+c.want, "1 problem in")
		})
	}
}

package queuetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lightlock/lightlock/gateway/queue/redisserver"
)

// Node is a redis-server that is also reached by TCP, on loopback, by a port
// that stays its own over a restart.
type Node struct {
	*Server
	// Addr is host:port.
	Addr string
	port string
}

// startNode starts a server with what all of them share: a replica that is
// needed soon does not wait for others to copy from the same primary.
func startNode(t testing.TB, o redisserver.Options) *Node {
	t.Helper()
	port := freePort(t)
	o.Extra = append([]string{"--bind", "127.0.0.1", "--port", port, "--repl-diskless-sync-delay", "0"}, o.Extra...)
	return &Node{Server: start(t, o), Addr: net.JoinHostPort("127.0.0.1", port), port: port}
}

// freePort finds a port that nobody listens on, below those that the system
// gives to outgoing connections.
func freePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(20_000)) //nolint:gosec // any will do
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = listener.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// do sends one command, and fails the test if it is refused.
func (n *Node) do(words ...any) any {
	n.t.Helper()
	answer, err := n.ask(words...)
	if err != nil {
		n.t.Fatalf("redis at %s: %v: %v", n.Addr, words, err)
	}
	return answer
}

func (n *Node) ask(words ...any) (any, error) {
	client := redis.NewClient(&redis.Options{Addr: n.Address(), MaxRetries: -1, Protocol: 2, DisableIdentity: true})
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return client.Do(ctx, words...).Result()
}

// text is an answer as text, and empty where the server does not answer.
func (n *Node) text(words ...any) string {
	answer, err := n.ask(words...)
	if err != nil {
		return ""
	}
	return fmt.Sprint(answer)
}

// IsPrimary tells whether the node takes writes, as it sees that itself.
func (n *Node) IsPrimary() bool {
	info := n.text("INFO", "replication")
	return contains(info, "role:master")
}

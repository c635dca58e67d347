package queuetest

import (
	"fmt"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue/redisserver"
)

// Sentinels are three Sentinels over a primary and its replica.
type Sentinels struct {
	t testing.TB
	// Nodes are the two that hold data, the one that begins as primary first.
	Nodes []*Node
	// Sentinels are those that watch them.
	Sentinels []*Node
}

// master is the primary's name among the Sentinels.
const master = "lightlock"

// StartSentinels starts them all; they end with the test. A takeover takes about
// two seconds.
func StartSentinels(t testing.TB) *Sentinels {
	t.Helper()
	s := &Sentinels{t: t, Nodes: []*Node{startNode(t, redisserver.Options{})}}
	primary := s.Nodes[0]
	replica := startNode(t, redisserver.Options{Extra: []string{"--replicaof", "127.0.0.1 " + primary.port}})
	s.Nodes = append(s.Nodes, replica)
	gatewaytest.Await(t, "the replica has its primary's data", func() bool {
		return contains(replica.text("INFO", "replication"), "master_link_status:up") && contains(primary.text("INFO", "replication"), "state=online")
	})
	file := fmt.Sprintf("sentinel monitor %s 127.0.0.1 %s 2\nsentinel down-after-milliseconds %[1]s 1000\n"+
		"sentinel failover-timeout %[1]s 5000\n", master, primary.port)
	for range 3 {
		s.Sentinels = append(s.Sentinels, startNode(t, redisserver.Options{File: file, Extra: []string{"--sentinel"}}))
	}
	for _, one := range s.Sentinels {
		gatewaytest.Await(t, "the Sentinels know each other and the replica", func() bool {
			info := one.text("INFO", "sentinel")
			return contains(info, "status=ok") && contains(info, "slaves=1") && contains(info, "sentinels=3")
		})
	}
	return s
}

// Config is what a gateway is given: one Sentinel tells of the others.
func (s *Sentinels) Config() *config.Redis {
	return &config.Redis{Addresses: []string{s.Sentinels[0].Addr, s.Sentinels[1].Addr}, Master: master}
}

// Primary is the node that the Sentinels name.
func (s *Sentinels) Primary() *Node {
	s.t.Helper()
	var found *Node
	gatewaytest.Await(s.t, "the Sentinels name a primary", func() bool {
		for _, one := range s.Sentinels {
			answer, _ := one.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master)
			for _, n := range s.Nodes {
				if fmt.Sprint(answer) == fmt.Sprint([]any{"127.0.0.1", n.port}) {
					found = n
					return true
				}
			}
		}
		return false
	})
	return found
}

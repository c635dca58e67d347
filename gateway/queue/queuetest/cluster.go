package queuetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/config"
	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue/redisserver"
)

// Cluster is a Redis Cluster of three primaries, the first of which has a
// replica that takes over from it. It serves what it can while a primary is away.
type Cluster struct {
	t testing.TB
	// Nodes are the three that begin as primaries, and then the replica.
	Nodes []*Node
}

const (
	clusterPrimaries = 3
	clusterSlots     = 16384
	// nodeTimeout is after how many milliseconds a node counts as lost.
	nodeTimeout = "1000"
)

// StartCluster starts a cluster that ends with the test. A takeover takes about
// two seconds.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	buses := make([]string, clusterPrimaries+1)
	for i := range buses {
		buses[i] = freePort(t)
		c.Nodes = append(c.Nodes, startNode(t, redisserver.Options{Extra: []string{
			"--cluster-enabled", "yes", "--cluster-port", buses[i], "--cluster-node-timeout", nodeTimeout,
			"--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0",
		}}))
	}
	for i, n := range c.Nodes {
		n.do("CLUSTER", "SET-CONFIG-EPOCH", i+1)
		if i < clusterPrimaries {
			n.do("CLUSTER", "ADDSLOTSRANGE", firstSlot(i), firstSlot(i+1)-1)
		}
		c.Nodes[0].do("CLUSTER", "MEET", "127.0.0.1", n.port, buses[i])
	}
	c.awaitWhole()
	replica := c.Nodes[clusterPrimaries]
	replica.do("CLUSTER", "REPLICATE", c.Nodes[0].do("CLUSTER", "MYID"))
	gatewaytest.Await(t, "the replica has its primary's data", func() bool {
		return contains(replica.text("INFO", "replication"), "master_link_status:up") && contains(c.Nodes[0].text("INFO", "replication"), "state=online")
	})
	return c
}

// firstSlot is the first of a primary's slots.
func firstSlot(primary int) int {
	return (primary*clusterSlots + clusterPrimaries - 1) / clusterPrimaries
}

// awaitWhole waits until every node knows of the others and finds all slots
// served.
func (c *Cluster) awaitWhole() {
	c.t.Helper()
	whole := fmt.Sprintf("cluster_known_nodes:%d", len(c.Nodes))
	gatewaytest.Await(c.t, "the cluster is whole", func() bool {
		for _, n := range c.Nodes {
			info := n.text("CLUSTER", "INFO")
			if !contains(info, "cluster_state:ok") || !contains(info, whole) || !contains(info, "cluster_slots_ok:16384") {
				return false
			}
		}
		return true
	})
}

// Config is what a gateway is given.
func (c *Cluster) Config() *config.Redis {
	return &config.Redis{Addresses: []string{c.Nodes[1].Addr, c.Nodes[2].Addr}, Cluster: true}
}

// Queue returns the name of a queue that lives on the given primary, the same
// for the same number.
func (c *Cluster) Queue(primary, number int) string {
	c.t.Helper()
	for i := 0; ; i++ {
		name := fmt.Sprintf("queue-%d", i)
		slot, _ := c.Nodes[0].do("CLUSTER", "KEYSLOT", "lightlock:queue:"+name).(int64)
		if int(slot) < firstSlot(primary) || int(slot) >= firstSlot(primary+1) {
			continue
		}
		if number--; number < 0 {
			return name
		}
	}
}

// Restart ends a node in order and starts it again, and waits until the cluster
// is whole. What it had acknowledged is on its disk.
func (c *Cluster) Restart(n *Node) {
	c.t.Helper()
	n.Kill()
	n.Restart()
	c.awaitWhole()
}

func contains(text, part string) bool { return strings.Contains(text, part) }

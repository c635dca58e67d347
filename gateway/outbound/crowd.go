package outbound

import "sync"

// crowd counts what is being sent by channel and by account, so that one that
// hangs does not take all slots.
type crowd struct {
	mu   sync.Mutex
	busy map[string]int
}

func newCrowd() *crowd { return &crowd{busy: map[string]int{}} }

// enter tells whether there is room for one more message; leave gives it back.
func (c *crowd) enter(m Message) (leave func(), ok bool) {
	channel, account := m.Channel, m.Channel+" "+m.Account
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[channel] >= perChannel || c.busy[account] >= perAccount {
		return nil, false
	}
	c.add(channel, 1)
	c.add(account, 1)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.add(channel, -1)
		c.add(account, -1)
	}, true
}

func (c *crowd) add(name string, n int) {
	if c.busy[name] += n; c.busy[name] == 0 {
		delete(c.busy, name)
	}
}

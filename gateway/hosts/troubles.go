package hosts

import (
	"time"

	"github.com/lightlock/lightlock/gateway/ops"
)

// Troubles lists the hosts from which an account's photos are not fetched for a
// while, in no order. One to which none of the account's has come for longer than
// any waits between two tries, by Options.Longest, is forgotten.
func (h *Hosts) Troubles() []ops.HostTrouble {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgetIdle()
	var list []ops.HostTrouble
	for _, at := range h.all {
		for account, g := range at.guests {
			trouble := ops.HostTrouble{Account: account, Host: at.name, Reason: string(Fails)}
			if at.circuit.closed() && g.circuit.closed() {
				if time.Until(g.paused) <= 0 {
					continue
				}
				trouble.Reason = string(Paused)
			}
			list = append(list, trouble)
		}
	}
	return list
}

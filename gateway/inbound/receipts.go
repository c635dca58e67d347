package inbound

import (
	"context"
	"sync"
	"time"

	"github.com/lightlock/lightlock/connectors"
	"github.com/lightlock/lightlock/gateway/outbound"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/routes"
)

const (
	// receiptsAtOnce is how many calls' receipts are noted at once. What comes in
	// beyond that is passed over: agents would like to know, and nobody has to.
	receiptsAtOnce = 16
	// receiptsIn is how long that may take.
	receiptsIn = 5 * time.Second
	// undelivered is what agents read of a reply that has not arrived.
	undelivered = "the platform could not deliver it"
)

// receipt is what a platform says of a message that we have sent.
type receipt struct {
	queue, key string
	result     queue.Result
}

// receiptOf reads an event, if there is anything in it that agents would like to know.
func receiptOf(route *routes.Route, e connectors.Event) (receipt, bool) {
	result, known := map[string]queue.Result{
		"delivered": queue.ResultDelivered, "read": queue.ResultDelivered, "failed": queue.ResultFailed,
	}[e.Reason]
	account, ours := route.Account(e.Account)
	if e.Kind != connectors.Receipt || e.MessageID == "" || !known || !ours {
		return receipt{}, false
	}
	return receipt{account.Queue, outbound.ReceiptKey(route.Channel.Name, e.Account, e.MessageID), result}, true
}

// postbox notes receipts beside the calls that brought them, which it never holds up.
type postbox struct {
	once  sync.Once
	slots chan struct{}
}

// enter takes one of the slots, unless all are taken.
func (p *postbox) enter() (leave func(), ok bool) {
	p.once.Do(func() { p.slots = make(chan struct{}, receiptsAtOnce) })
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, true
	default:
		return nil, false
	}
}

// note notes the receipts of one call.
func (l *Line) note(receipts []receipt) {
	if len(receipts) == 0 {
		return
	}
	leave, ok := l.postbox.enter()
	if !ok {
		l.Metrics.Trouble("receipt", "passed_over")
		return
	}
	go func() {
		defer leave()
		ctx, cancel := context.WithTimeout(context.Background(), receiptsIn)
		defer cancel()
		for _, r := range receipts {
			var detail string
			if r.result == queue.ResultFailed {
				detail = undelivered
			}
			if err := l.Journal.Receipt(ctx, r.queue, r.key, r.result, detail); err != nil {
				l.Metrics.Trouble("receipt", "journal")
				l.Log.Debug("receipt not noted", "queue", r.queue, "err", err)
				return
			}
		}
	}()
}

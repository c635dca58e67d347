package queue_test

import (
	"fmt"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

func TestALostReplyMakesNoSecondEffect(t *testing.T) {
	t.Parallel()
	address := quickRedis(t)
	client, proxy := connect(t, address), queuetest.NewProxy(t, address)
	run := func(s scenario, cut bool) (answer any, after string, starts string) {
		client.FlushAll(t.Context())
		j := journal(t, proxy.Address(), queue.Options{})
		e := s.prepare(t, j, client)
		if cut {
			proxy.Arm(queuetest.CutAfter, 1, queuetest.Scripts())
		}
		answer, err := s.act(t, j, e)
		if err != nil {
			t.Errorf("%s, cut %v: %v", s.name, cut, err)
		}
		work := "{" + queue.Stream(q) + "}:work:" + hash("a")
		fields := client.HMGet(t.Context(), work, "starts", "deaths:3").Val()
		left, unaccounted := countAll(t, j) // one of them loses a record
		return answer, fmt.Sprint(left, unaccounted), fmt.Sprint(fields)
	}
	for i, s := range scenarios() {
		answer, after, starts := run(s, false)
		cutAnswer, cutAfter, cutStarts := run(s, true)
		if got := proxy.Struck(); got != i+1 {
			t.Fatalf("%s: %d replies were lost so far, want %d", s.name, got, i+1)
		}
		if cutAnswer != answer && !s.moves {
			t.Errorf("%s: got %v after a lost reply, %v without", s.name, cutAnswer, answer)
		}
		if cutAfter != after || cutStarts != starts {
			t.Errorf("%s: a lost reply leads to %s %s, without it is %s %s", s.name, cutAfter, cutStarts, after, starts)
		}
	}
}

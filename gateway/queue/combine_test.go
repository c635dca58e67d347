package queue_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// One call's key holds another type, and the others are none the worse for having
// shared its script; what several bring at once is new to one of them.
func TestCallsTogetherAreAsGoodAsAlone(t *testing.T) {
	t.Parallel()
	const names, copies = 20, 3
	server := queuetest.Start(t)
	client := connect(t, server.Address())
	j := journal(t, server.Address(), queue.Options{})
	wrong := "{" + queue.Stream(q) + "}:seen:" + hash("wrong")
	if err := client.LPush(t.Context(), wrong, "a list").Err(); err != nil {
		t.Fatal(err)
	}
	before := scriptsRun(t, client)
	var mu sync.Mutex
	fresh := map[string]int{}
	var all sync.WaitGroup
	call := func(name string) {
		got, err := j.Accept(t.Context(), q, []queue.Item{item(name)})
		mu.Lock()
		defer mu.Unlock()
		if name == "wrong" {
			if err == nil || !strings.Contains(err.Error(), "WRONGTYPE") {
				t.Errorf("the wrong one: got %v", err)
			}
			return
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if got[0].New {
			fresh[name]++
		}
	}
	server.Pause()
	for copied := range copies {
		for i := range names {
			all.Go(func() { call(fmt.Sprint(i)) })
		}
		if copied == 0 {
			all.Go(func() { call("wrong") })
		}
	}
	server.Continue()
	all.Wait()
	for i := range names {
		if got := fresh[fmt.Sprint(i)]; got != 1 {
			t.Errorf("event %d was new %d times", i, got)
		}
	}
	wantCounts(t, j, counts{waiting: names})
	t.Logf("%d calls took %.0f scripts", copies*names+1, scriptsRun(t, client)-before)
}

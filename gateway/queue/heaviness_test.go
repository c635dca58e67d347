package queue_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lightlock/lightlock/gateway/gatewaytest"
	"github.com/lightlock/lightlock/gateway/queue"
	"github.com/lightlock/lightlock/gateway/queue/queuetest"
)

// Open conversations fill the memory, and an operator is told so: how many they are
// and about how large, and that is what they are counted by.
func TestOpenConversationsFillTheMemory(t *testing.T) {
	t.Parallel()
	const chats, text = 300, 60 << 10
	server := queuetest.Start(t, "--maxmemory", "22mb")
	b := open(t, queue.OpenOptions{Redis: at(server.Address())})
	defer shut(t, b)
	if err := b.Prepare(t.Context(), []string{q}); err != nil {
		t.Fatal(err)
	}
	client := connect(t, server.Address())
	j := journalOn(t, client, queue.Options{}) // which takes in what the other does not any more
	for i := range chats {
		one := item(fmt.Sprint("m", i))
		one.Party = hash(fmt.Sprint("party", i))
		acceptItems(t, j, one)
		e := begun(t, j)
		u := saidIn("party", e)
		u.Party, u.Item.Message.Text = one.Party, strings.Repeat("x", text)
		want(t, "complete", queue.Mine)(j.Complete(t.Context(), e, queue.End{Document: []byte("document"), Party: one.Party, Chat: u}))
	}
	gatewaytest.Await(t, "it is closed", func() bool { return b.Condition().Closed })
	found := regexp.MustCompile(`; (\d+) open conversations of ` + q + ` about (\d+) MB, `).FindStringSubmatch(b.Condition().Fills)
	if found == nil {
		t.Fatalf("no conversations come first in %q", b.Condition().Fills)
	}
	// It may have been counted before the last of them were there.
	n, _ := strconv.Atoi(found[1])
	if mb, _ := strconv.Atoi(found[2]); n < chats*4/5 || n > chats || mb < 15 || mb > 22 {
		t.Errorf("got %d conversations of %d MB, want up to %d of some 18 MB", n, mb, chats)
	}
	if s, err := b.Stats(t.Context(), q); err != nil || s.OpenChats != chats {
		t.Errorf("%d are counted, want %d; %v", s.OpenChats, chats, err)
	}
}

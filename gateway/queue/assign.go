package queue

import (
	"context"
	"fmt"
	"time"
)

// AnyAgent stands for whoever has a conversation, or nobody, where one is asked for
// who must have it.
const AnyAgent = "*"

// Assignment gives a conversation to an agent.
type Assignment struct {
	// To gets it; zero puts it back among those that wait.
	To Agent
	// From is the ID of the agent that must have it now: empty for nobody, AnyAgent
	// for whoever. Two who reach for the same conversation do not take it from each
	// other.
	From string
}

// Assign gives a conversation to an agent, and returns it as it is then. It is no
// error if the agent has it already. A conversation that came back for a late
// message can be assigned too. The error is ErrNoConversation, ErrConversationOver or
// a NotTheirsError.
func (j *Journal) Assign(ctx context.Context, queue, id string, a Assignment) (Conversation, error) {
	k, err := j.chatOf(queue, id, a.To)
	if err != nil {
		return Conversation{}, fmt.Errorf("queue: assign: %w", err)
	}
	answer, err := j.run(ctx, j.scripts.assign, []string{k.chat + id}, a.To.ID, cut(a.To.Name, maxName), a.From).Slice()
	if err != nil {
		return Conversation{}, wrap("assign", err)
	}
	return readDone("assign", queue, id, answer)
}

// Closing ends a conversation.
type Closing struct {
	// By is who ends it.
	By Actor
	// From is the Assignment's of that name.
	From string
}

// CloseConversation closes a conversation, and returns it as it is then. It is no
// error if it is closed already. Whoever reads the agents' queue hears of it. What has
// been said in it is still sent, and the consumer's next message opens another. The
// error is ErrNoConversation or a NotTheirsError.
func (j *Journal) CloseConversation(ctx context.Context, queue, id string, c Closing) (Conversation, error) {
	return j.close(ctx, queue, id, c, 0)
}

// close closes a conversation that has been idle for so long.
func (j *Journal) close(ctx context.Context, queue, id string, c Closing, idle time.Duration) (Conversation, error) {
	k, err := j.chatOf(queue, id, c.By.Agent)
	if err != nil {
		return Conversation{}, fmt.Errorf("queue: close: %w", err)
	}
	before, err := j.Conversation(ctx, queue, id)
	if err != nil {
		return Conversation{}, err
	}
	document, err := closed(before, c.By).Marshal()
	if err != nil {
		return Conversation{}, err
	}
	answer, err := j.run(ctx, j.scripts.close, []string{k.chat + id, k.out},
		c.From, string(c.By.Kind), c.By.ID, cut(c.By.Name, maxName), document,
		millis(j.options.ArchiveAfter), millis(previousKept), millis(idle)).Slice()
	if err != nil {
		return Conversation{}, wrap("close", err)
	}
	return readDone("close", queue, id, answer)
}

// ClosedID returns the id of the ConversationClosed document of a conversation that
// was not ended by its consumer.
func ClosedID(conversation string) string { return conversation + ".closed" }

// closed is what software that reads the agents' queue is told.
func closed(c Conversation, by Actor) Document {
	now := time.Now()
	return Document{
		ID: ClosedID(c.ID), Type: ConversationClosed, Account: c.Account, Conversation: c.ID, Time: now,
		Data: ChangeData{Channel: c.Channel, Consumer: c.Consumer, ReceivedAt: now, ClosedBy: &ClosedBy{Kind: by.Kind, ID: by.ID}},
	}
}

// SeenUpTo notes that the agent who has a conversation, or had it when it was closed,
// has seen its messages up to that arrival. The error is ErrNoConversation or a
// NotTheirsError.
func (j *Journal) SeenUpTo(ctx context.Context, queue, id, agentID string, arrival int64) error {
	k, err := j.chatOf(queue, id, Agent{ID: agentID})
	if err == nil && agentID == "" {
		err = fmt.Errorf("%w: nobody has seen it", ErrInvalid)
	}
	if err != nil {
		return fmt.Errorf("queue: seen: %w", err)
	}
	answer, err := j.run(ctx, j.scripts.seen, []string{k.chat + id}, agentID, max(0, arrival)).Slice()
	if err != nil {
		return wrap("seen", err)
	}
	_, err = done("seen", answer)
	return err
}

// MaxAgentID is how long an agent's ID may be, in bytes.
const MaxAgentID = 128

// chatOf checks what a call about a conversation names, and returns its queue's keys.
func (j *Journal) chatOf(queue, id string, who Agent) (keys, error) {
	k, err := keysOf(queue)
	if err != nil {
		return k, err
	}
	if who.ID == AnyAgent || len(who.ID) > MaxAgentID {
		return k, fmt.Errorf("%w: an agent's id of %d bytes", ErrInvalid, len(who.ID))
	}
	return k, checkHex("conversation", id)
}

// done reads the answer of a script about a conversation: what follows its first word,
// or the error that this stands for.
func done(op string, answer []any) ([]any, error) {
	if len(answer) == 0 {
		return nil, unexpected(op, answer)
	}
	switch word := text(answer[0]); word {
	case "none":
		return nil, fmt.Errorf("queue: %s: %w", op, ErrNoConversation)
	case "over":
		return nil, fmt.Errorf("queue: %s: %w", op, ErrConversationOver)
	case "busy":
		return nil, fmt.Errorf("queue: %s: %w", op, errBusy)
	case "theirs":
		if len(answer) < 3 {
			return nil, unexpected(op, answer)
		}
		return nil, fmt.Errorf("queue: %s: %w", op, &NotTheirsError{Agent{ID: text(answer[1]), Name: text(answer[2])}})
	case "done", "fresh", "repeated":
		return answer[1:], nil
	default:
		return nil, fmt.Errorf("queue: %s: unexpected answer %.20q", op, word)
	}
}

// readDone reads the head that follows.
func readDone(op, queue, id string, answer []any) (Conversation, error) {
	rest, err := done(op, answer)
	if err != nil {
		return Conversation{}, err
	}
	if len(rest) != 1 {
		return Conversation{}, unexpected(op, answer)
	}
	flat, _ := rest[0].([]any)
	fields := map[string]string{}
	for i := 0; i+1 < len(flat); i += 2 {
		fields[text(flat[i])] = text(flat[i+1])
	}
	return readHead(queue, id, fields)
}

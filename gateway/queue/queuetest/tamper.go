package queuetest

// Tamper runs a command on one of a queue's keys, as somebody does who writes there
// beside us: its name, the key behind the queue's slot, and whatever follows.
func (i *Inspector) Tamper(name, command, key string, rest ...any) {
	i.t.Helper()
	i.check(i.client.Do(i.t.Context(), append([]any{command, slot(name) + key}, rest...)...).Err())
}

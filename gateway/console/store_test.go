package console_test

import (
	"testing"

	"github.com/lightlock/lightlock/gateway/console/consoletest"
)

// state is a store in which Ben is signed in, and ways to tell it what happens.
const state = `
	const { createStore } = m;
	const s = createStore(undefined, (f) => f());
	const conv = (id, version, more) => ({ id, version, state: 'waiting', consumer: { id }, waiting_since: '2026-11-12T14:0' + id + ':00Z',
		last_message_at: '2026-11-12T14:0' + id + ':00Z', arrived: 1, read: 0, unread: 1, ...more });
	const came = (c, now = 0) => s.send('conversationCame', { conversation: c, now });
	const ben = { id: 'ben', name: 'Ben' }, eva = { id: 'eva', name: 'Eva' };
	s.send('signedIn', { me: ben });
	const list = (tab, conversations, more) => s.send('listCame', { tab, answer: { conversations, ...more }, now: 0 });
	const shown = () => s.get().lists.waiting.shown + '';
	list('waiting', [conv('1', 1), conv('3', 1)], { total: 2 });
	list('mine', [], { total: 0 });
`

func testStore(t *testing.T, p *consoletest.Page) {
	for script, want := range map[string]any{
		`return shown();`:                     "1,3",
		`came(conv('2', 1)); return shown();`: "1,2,3",
		`came(conv('1', 0, { waiting_since: '2026-11-12T15:00:00Z' })); return shown();`:                                                                "1,3", // older than what is known
		`s.send('held', { tab: 'waiting', on: true }); came(conv('2', 1)); return shown();`:                                                             "1,3",
		`s.send('held', { tab: 'waiting', on: true }); came(conv('2', 1)); s.send('settled', { tab: 'waiting', now: 0, force: true }); return shown();`: "1,2,3",
		`came(conv('1', 2, { state: 'assigned', agent: eva })); return shown();`:                                                                        "1,3", // for a while, dimmed
		`came(conv('1', 2, { state: 'assigned', agent: eva })); s.send('settled', { tab: 'waiting', now: 6000 }); return shown();`:                      "3",
		`came(conv('1', 2, { state: 'assigned', agent: eva })); return s.get().lists.waiting.total;`:                                                    1.0,
		`came(conv('1', 2, { state: 'assigned', agent: ben })); return s.get().lists.mine.shown + s.get().lists.mine.total;`:                            "11",
		`came(conv('1', 2, { state: 'assigned', agent: ben })); came(conv('1', 3, { state: 'assigned', agent: eva })); return s.get().lost['1'];`:       true,
		`came(conv('1', 2, { state: 'assigned', agent: ben })); came(conv('1', 3, { state: 'closed', agent: ben })); return s.get().lost['1'];`:         nil,
		`list('waiting', [conv('3', 1)], { total: 1 }); s.send('settled', { tab: 'waiting', now: 9000 }); return shown();`:                              "3", // taken and closed while we were away
		`s.send('conversationGone', { id: '3', now: 0 }); s.send('settled', { tab: 'waiting', now: 9000 }); return shown();`:                            "1",
		`came(conv('1', 2, { state: 'assigned', agent: ben })); s.send('seen', { id: '1', arrival: 1 }); return s.get().conversations['1'].unread;`:     0.0,
		`let told = 0; s.subscribe(() => told++); s.send('held', { tab: 'mine', on: false }); return told;`:                                             0.0,
	} {
		holds(t, p, "store", state+script, want)
	}
}

func testMessages(t *testing.T, p *consoletest.Page) {
	for script, want := range map[string]any{
		`return m.groups([{ id: 1, from: 'consumer', album: { id: 'a' } }, { id: 2, from: 'consumer', album: { id: 'a' } }, { id: 3, from: 'consumer' },
			{ id: 4, from: 'consumer', album: { id: 'a' } }]).map((g) => g.messages.length) + '';`: "2,1,1",
		`const ready = { photo: { status: 'ready' } }, bad = { photo: { status: 'rejected' } };
			const g = m.grid([ready, ready, ready, ready, bad, ready, ready]); return g.boxes.length + '+' + g.more;`: "5+2",
		`return m.newest([{ arrival: 3 }, { arrival: 7 }, {}]);`: 7.0,
		// A reply that the live updates have brought before its own answer.
		`const state = { me: { id: 'ben' }, outbox: [{ key: 'k', conversation: 'c', text: 'x', state: 'sending', known: ['old'] }],
			messages: { c: { items: [{ id: 'old', from: 'agent', agent: { id: 'ben' }, text: 'x' }, { id: 'new', from: 'agent', agent: { id: 'ben' }, text: 'x' }] } } };
			return m.onTheWay(state, 'c').length;`: 0.0,
		`const state = { me: { id: 'ben' }, outbox: [{ key: 'k', conversation: 'c', text: 'x', state: 'sending', known: ['old'] }],
			messages: { c: { items: [{ id: 'old', from: 'agent', agent: { id: 'ben' }, text: 'x' }] } } };
			return m.onTheWay(state, 'c').length;`: 1.0,
	} {
		holds(t, p, "messages", script, want)
	}
}

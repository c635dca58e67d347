// The open conversation around its messages: the heading, what can be done with
// it, and what stands in place of the reply box.

import { $, attribute, put, say, show } from './dom.js';
import { channelName, consumerName, plain } from './format.js';
import { noteIn, waitingNote } from './listnote.js';
import { address } from './router.js';
import { cannotReply, closedBy, holder } from './sentences.js';
import { holds } from './store.js';

export function mountConversation({ store, go, loader, ask, drafts, canReply }) {
  const heading = $('#heading');
  const openID = () => store.get().route.conversation;

  async function take(id) {
    const problem = await loader.take(id);
    if (problem) return say('alert', problem.agent ? `Taken by ${plain(problem.agent.name || problem.agent.id)}` : plain(problem.message));
    await loader.refresh(id);
    if (openID() === id) setTimeout(() => $('#text').focus());
  }

  async function transfer(id) {
    const to = await ask.agent(store.get().conversations[id]);
    if (to === undefined) return;
    failed(await loader.transfer(id, to));
  }

  async function close(id) {
    const c = store.get().conversations[id];
    const sure = await ask.sure({
      heading: `Close the conversation with ${plain(consumerName(c), 60)}?`,
      text: 'It stays readable under Closed. If the customer writes again, a new conversation begins.', yes: 'Close it',
    });
    if (sure) failed(await loader.close(id));
  }

  function failed(problem) {
    if (problem && problem.status !== 401) say('alert', plain(problem.message));
  }

  const acts = { take, transfer, close };
  const can = (c) => ({
    take: c.state === 'waiting',
    transfer: holds(store.get(), c),
    close: holds(store.get(), c),
  });

  // act does what a button or a key asks for, where it can be done.
  function act(what) {
    const c = store.get().conversations[openID()];
    if (c && can(c)[what]) acts[what](c.id);
  }

  for (const what of ['take', 'transfer', 'close']) $(`#${what}`).addEventListener('click', () => act(what));
  $('#take-below').addEventListener('click', () => act('take'));
  $('#back').addEventListener('click', (e) => {
    e.preventDefault();
    go({ conversation: null, photo: null });
  });
  $('#next-conversation').addEventListener('click', (e) => {
    e.preventDefault();
    go({ conversation: store.get().conversations[openID()].next, photo: null });
  });
  $('#copy-draft').addEventListener('click', async () => {
    const text = drafts.get(openID());
    try {
      await navigator.clipboard.writeText(text);
      say('status', 'Copied');
      put($('#copy-draft'), 'Copied');
    } catch {
      // No clipboard over plain HTTP: then the agent can at least see and mark it.
      getSelection().selectAllChildren($('#kept-text'));
    }
  });

  function instead(state, c) {
    if (c.state === 'waiting') {
      if (c.late) return 'A message came after it was closed. Take it to read and close it';
      return state.lost[c.id] ? 'Not yours any more: it waits again' : 'Take it to answer';
    }
    if (c.state === 'closed') return closedBy(c, state.me, Date.now());
    if (!holds(state, c)) return state.lost[c.id] ? `Now with ${holder(c)}` : `With ${holder(c)}`;
    return cannotReply(c);
  }

  function foot(state, c) {
    const reply = canReply(state, c);
    show($('#reply'), reply);
    show($('#instead'), !reply);
    if (reply) return;
    put($('#instead-text'), instead(state, c));
    show($('#take-below'), c.state === 'waiting');
    const next = $('#next-conversation');
    show(next, c.state === 'closed' && c.next);
    if (c.next) attribute(next, 'href', address({ conversation: c.next }));
    const draft = drafts.get(c.id);
    show($('#kept'), draft && (state.lost[c.id] || c.state === 'closed'));
    put($('#kept-text'), draft);
    if (!draft) put($('#copy-draft'), 'Copy the draft');
  }

  function head(state, c) {
    const name = consumerName(c);
    put(heading, name);
    put($('#subheading'), [channelName(c), c.state === 'waiting' ? 'waiting' : c.state === 'closed' ? 'closed'
      : holds(state, c) ? 'with you' : `with ${holder(c)}`, c.late && 'a message came late'].filter(Boolean).join(' · '));
    attribute($('#transcript'), 'aria-label', `Messages of ${plain(name, 60)}`);
    const possible = can(c);
    for (const what of ['take', 'transfer', 'close']) show($(`#${what}`), possible[what]);
    attribute($('#back'), 'href', address({ tab: state.route.tab, q: state.route.q }));
  }

  function note(state, id) {
    const m = state.messages[id] ?? {};
    if (m.status === 'missing') return { text: 'There is no such conversation, or it is not in your queues.' };
    return waitingNote(m, 'The conversation', () => loader.open(id));
  }

  function render(state, before) {
    const id = state.route.conversation;
    const c = id && state.conversations[id];
    const ready = Boolean(c && state.messages[id]?.items);
    show($('#nothing'), !id);
    show($('#open'), ready);
    show($('#loading-conversation'), id && !ready);
    if (id && !ready) noteIn($('#loading-conversation'), note(state, id));
    if (!ready) return;
    head(state, c);
    foot(state, c);
    if (before?.lost !== state.lost && state.lost[id] && !before?.lost[id]) {
      say('alert', c.state === 'waiting' ? 'Not yours any more' : `Now with ${holder(c)}`);
    }
  }

  return { render, act };
}

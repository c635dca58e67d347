// Replies on their way to the gateway. They leave one after the other, in the
// order in which they were written, each under one key for all its tries, so
// that it is sent once whatever happens to an answer.

import * as api from './api.js';
import { say } from './dom.js';
import { backoff } from './stream.js';

export function createOutbox(store, drafts) {
  let busy = false;
  let failures = 0;
  let timer = 0;

  function restore() {
    for (const reply of drafts.replies()) {
      if (!find(reply.key)) store.send('replyQueued', { reply: { ...reply, state: reply.state === 'failed' ? 'failed' : 'queued' } });
    }
    work();
  }

  const find = (key) => store.get().outbox.find((r) => r.key === key);

  function add(conversation, text) {
    const known = (store.get().messages[conversation]?.items ?? []).map((m) => m.id);
    const key = crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
    const reply = { key, conversation, text, at: new Date().toISOString(), state: 'queued', known };
    store.send('replyQueued', { reply });
    drafts.keep(reply);
    work();
  }

  // Kept at every change, and not at the end: a page may go at any moment.
  const change = (key, part) => {
    store.send('replyChanged', { key, part });
    if (find(key)) drafts.keep(find(key));
  };

  async function work() {
    if (busy) return;
    const next = store.get().outbox.find((r) => r.state === 'queued');
    if (!next || !navigator.onLine || store.get().signedOut || !store.get().me) return;
    busy = true;
    clearTimeout(timer);
    change(next.key, { state: 'sending' });
    const on = await post(next);
    busy = false;
    if (on) work();
    else timer = setTimeout(work, backoff(failures++));
  }

  // post tells whether the next may follow.
  async function post({ key, conversation, text }) {
    try {
      const message = await api.reply(conversation, key, text);
      failures = 0;
      store.send('replyTaken', { key, id: conversation, message });
      drafts.drop(key);
      return true;
    } catch (err) {
      if (!find(key)) return true; // another tab has sent it
      if (err.away || err.status === 401) {
        change(key, { state: 'queued' });
        return false;
      }
      refused(key, err);
      return true;
    }
  }

  function refused(key, err) {
    const why = err.agent ? `the conversation is with ${err.agent.name || err.agent.id}` : err.message;
    change(key, { state: 'failed', why });
    say('alert', `Not sent: ${why}`);
  }

  // again sends a reply anew that was refused here, or by the channel. The latter
  // was one reply, and this is another: it has a key of its own.
  function again(key, state) {
    if (find(key)) {
      change(key, { state: 'queued', why: '' });
      work();
      return;
    }
    const id = state.route.conversation;
    const m = state.messages[id]?.items.find((one) => one.id === key);
    if (m) add(id, m.text);
  }

  // Another tab has sent it: each sends all that it finds at its start, and the key
  // makes one of two.
  drafts.elsewhere('reply', (key, now) => now === null && store.send('replyGone', { key }));

  return { restore, add, again, work };
}

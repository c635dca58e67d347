// What is fetched, when, and what is done for the agent: everything that calls
// the API but replies and pictures.

import * as api from './api.js';
import { looks } from './listnote.js';
import { holds } from './store.js';

const firstPage = 50;
const page = 200;
const mostRows = 2000;
const messagePage = 50;

export function createLoader(store) {
  let search = new AbortController();
  let opening = new AbortController();
  const send = (type, payload) => store.send(type, { ...payload, now: Date.now() });

  // ask notes that something is being fetched. How that looks changes with time.
  function ask(type, payload) {
    send(type, payload);
    for (const wait of looks) setTimeout(store.refresh, wait);
  }

  // list fetches a list from its beginning. Waiting and mine are fetched whole,
  // because live updates are sorted into them; closed ones by the page.
  async function list(tab, after = '') {
    const q = tab === 'closed' ? store.get().search : '';
    const signal = tab === 'closed' ? search.signal : undefined;
    if (!after) ask('listAsked', { tab });
    try {
      const answer = await api.list({ view: tab, q, after, limit: after && tab !== 'closed' ? page : firstPage }, signal);
      if (tab === 'closed' && q !== store.get().search) return null;
      return listCame(tab, answer, Boolean(after));
    } catch (err) {
      if (!signal?.aborted) send('listFailed', { tab });
      return null;
    }
  }

  function listCame(tab, answer, further) {
    send('listCame', { tab, answer, further });
    const { ids } = store.get().lists[tab];
    if (tab !== 'closed' && answer.next && ids.length < mostRows) list(tab, answer.next);
    return answer;
  }

  function find(q) {
    search.abort();
    search = new AbortController();
    store.send('searched', { q });
    return list('closed');
  }

  // open fetches a conversation and its newest messages.
  async function open(id) {
    opening.abort();
    opening = new AbortController();
    const { signal } = opening;
    ask('messagesAsked', { id });
    try {
      const [conversation, answer] = await Promise.all([api.conversation(id, signal), api.messages(id, { limit: messagePage }, signal)]);
      send('conversationCame', { conversation });
      send('messagesCame', { id, answer, older: false });
    } catch (err) {
      if (!signal.aborted) send('messagesFailed', { id, missing: err.status === 404 });
    }
  }

  let olderUnderWay = null;

  async function older(id) {
    const had = store.get().messages[id];
    if (olderUnderWay === id || !had?.more || !had.items.length) return false;
    olderUnderWay = id;
    try {
      send('messagesCame', { id, answer: await api.messages(id, { before: had.items[0].position, limit: messagePage }), older: true });
      return true;
    } catch {
      return false;
    } finally {
      olderUnderWay = null;
    }
  }

  // check asks for one conversation again, for instance when it left Redis.
  async function check(id) {
    try {
      send('conversationCame', { conversation: await api.conversation(id) });
    } catch (err) {
      if (err.status === 404) send('conversationGone', { id });
    }
  }

  // again fetches whatever is shown, without emptying it first.
  async function again() {
    const { route } = store.get();
    await Promise.all([list('waiting'), list('mine'), route.tab === 'closed' && list('closed'), route.conversation && refresh(route.conversation)]);
  }

  // refresh is also for who has just taken one: with the messages come the
  // addresses of the photos, which were not to be seen before.
  async function refresh(id) {
    if (!store.get().messages[id]?.items) return open(id);
    await check(id);
    try {
      // More may have come than one page: then what was shown is replaced.
      const had = store.get().messages[id]?.items ?? [];
      const answer = await api.messages(id, { limit: Math.min(Math.max(had.length, messagePage), page) });
      const joined = !answer.more || !had.length || answer.messages[0].position <= had.at(-1).position;
      if (!joined) return open(id);
      send('messagesCame', { id, answer, older: false });
    } catch { /* the next opening of the stream tries again */ }
  }

  // act does something to a conversation, and learns what came of it.
  async function act(id, call) {
    try {
      send('conversationCame', { conversation: await call() });
      return null;
    } catch (err) {
      if (err.status === 409 || err.status === 404) check(id);
      return err;
    }
  }

  async function seen(id, arrival) {
    const c = store.get().conversations[id];
    if (!holds(store.get(), c) || (c.read ?? 0) >= arrival) return;
    store.send('seen', { id, arrival });
    try {
      await api.read(id, arrival);
    } catch { /* it is counted again with the next message */ }
  }

  return {
    list, listCame, find, open, older, check, again, refresh, seen,
    take: (id) => act(id, () => api.take(id)),
    transfer: (id, to) => act(id, () => api.transfer(id, to)),
    close: (id) => act(id, () => api.close(id)),
  };
}

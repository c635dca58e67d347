// The list of conversations. What is under the agent's hand does not move: while
// the pointer or the focus is in the list, or it is scrolled, arrivals wait.

import { $, attribute, copy, keyed, nodeOf, put, show, stamp } from './dom.js';
import { badge, channelName, consumerName, count, inFull, moment } from './format.js';
import { address } from './router.js';
import { gist, taken, waits } from './sentences.js';
import { marked } from './search.js';
import { isMine } from './store.js';
import { waitingChanges } from './order.js';
import { listNote } from './listnote.js';

const releaseAfter = 1000; // ms
const headings = { waiting: 'Waiting', mine: 'Mine', closed: 'Closed' };

export function mountList({ store, go, loader }) {
  const box = $('#list');
  const rows = $('#rows');
  const ul = $('ul', rows);
  const pill = $('#held');
  const heading = $('#list-heading');
  const note = listNote($('#list-note'), loader);
  const tab = () => store.get().route.tab;
  let pointer = false;
  let release = 0;
  let active = null; // the row that Tab comes to

  function hold() {
    const on = pointer || ul.contains(document.activeElement) || rows.scrollTop > 0;
    clearTimeout(release);
    if (on) {
      store.send('held', { tab: tab(), on: true });
      return;
    }
    release = setTimeout(() => {
      store.send('held', { tab: tab(), on: false });
      store.send('settled', { tab: tab(), now: Date.now() });
    }, releaseAfter);
  }

  box.addEventListener('pointerenter', (e) => { pointer = e.pointerType === 'mouse'; hold(); });
  box.addEventListener('pointerleave', () => { pointer = false; hold(); });
  box.addEventListener('focusin', hold);
  box.addEventListener('focusout', () => setTimeout(hold));
  rows.addEventListener('scroll', hold, { passive: true });

  function showNew() {
    store.send('settled', { tab: tab(), now: Date.now(), force: true });
  }
  pill.addEventListener('click', () => {
    showNew();
    heading.focus({ preventScroll: true });
  });

  ul.addEventListener('click', (e) => {
    const row = e.target.closest('a');
    if (!row || e.metaKey || e.ctrlKey || e.shiftKey || e.button) return;
    e.preventDefault();
    go({ conversation: row.dataset.id, photo: null });
  });
  ul.addEventListener('focusin', (e) => { active = e.target.closest('a')?.dataset.id ?? active; });

  function update(li, id) {
    const state = store.get();
    const c = state.conversations[id];
    const row = li.firstElementChild;
    const now = Date.now();
    const left = id in state.lists[tab()].ghosts || !belongs(state, c);
    // Most rows are as they were, and there may be thousands.
    const look = [tab(), left, state.route.conversation === id, state.search, Math.floor(now / 15_000)].join();
    if (li.c === c && li.look === look) return;
    Object.assign(li, { c, look });
    const at = { waiting: c.waiting_since, mine: c.last_message_at, closed: c.closed_at }[tab()] ?? c.last_message_at ?? c.opened_at;
    attribute(row, 'href', address({ conversation: id }));
    attribute(row, 'aria-current', state.route.conversation === id ? 'page' : null);
    row.dataset.id = id;
    row.classList.toggle('left', left);
    marked($('bdi', row), consumerName(c), state.search && tab() === 'closed' ? state.search : '');
    const queue = state.me?.queues?.length > 1 ? ` · ${c.queue}` : '';
    put($('.channel', row), `${channelName(c)}${queue}`);
    marked($('.gist', row), left ? taken(c, state.me) : gist(c, state.me), state.search && tab() === 'closed' && !left ? state.search : '');
    stamp($('time', row), at, moment(at, now));
    const waiting = tab() === 'waiting' && !left;
    put($('.when .unseen', row), waiting ? waits(moment(at, now)) : '');
    if (waiting) attribute($('time', row), 'title', `Waits since ${inFull(at)}`);
    const unread = tab() === 'closed' || left ? 0 : c.unread ?? 0;
    show($('.badge', row), unread > 0);
    put($('.badge span', row), badge(unread));
  }

  function belongs(state, c) {
    if (tab() === 'mine') return c.state === 'assigned' && isMine(state, c);
    return c.state === tab();
  }

  // anchor keeps the rows that are in view where they are; Safari does not.
  function anchored(change) {
    const top = rows.getBoundingClientRect().top;
    const first = rows.scrollTop > 0 && [...ul.children].find((li) => li.getBoundingClientRect().bottom > top);
    const before = first ? first.getBoundingClientRect().top : 0;
    change();
    if (first?.isConnected) rows.scrollTop += first.getBoundingClientRect().top - before;
  }

  function refocus(shown, at) {
    if (at < 0 || ul.contains(document.activeElement)) return;
    const next = shown[Math.min(at, shown.length - 1)];
    (nodeOf(ul, next)?.firstElementChild ?? heading).focus({ preventScroll: true });
  }

  function render(state, before) {
    const list = state.lists[tab()];
    if (before?.route.tab !== state.route.tab) {
      rows.scrollTop = 0;
      put(heading, headings[tab()]);
      hold();
    }
    const focused = ul.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    const at = focused ? [...ul.children].findIndex((li) => li.firstElementChild.dataset.id === focused) : -1;
    const shown = list.shown.filter((id) => state.conversations[id]);
    anchored(() => keyed(ul, shown, { key: (id) => id, make: () => copy('row'), update }));
    refocus(shown, at);
    rove(shown, state.route.conversation);
    const { arrivals, reordered } = waitingChanges(state, tab());
    const waits = list.held && list.status === 'ready' && (arrivals > 0 || reordered);
    show(pill, waits);
    put(pill, arrivals ? `${arrivals} new` : 'New order');
    note(state, shown.length);
    tabs(state);
  }

  function rove(shown, open) {
    if (!shown.includes(active)) active = shown.includes(open) ? open : shown[0];
    for (const li of ul.children) attribute(li.firstElementChild, 'tabindex', li.firstElementChild.dataset.id === active ? 0 : -1);
  }

  function tabs(state) {
    for (const a of document.querySelectorAll('[data-tab]')) {
      attribute(a, 'aria-current', a.dataset.tab === state.route.tab ? (state.route.conversation ? 'true' : 'page') : null);
      const list = state.lists[a.dataset.tab];
      const n = list.status === 'ready' && a.dataset.tab !== 'closed' ? list.total : 0;
      if ($('.count', a)) put($('.count', a), n ? String(n) : '');
      if (n) attribute(a, 'aria-label', `${headings[a.dataset.tab]}, ${count(n, 'conversation')}`);
      else a.removeAttribute('aria-label');
    }
  }

  // move takes the focus up and down the rows.
  function move(to) {
    const all = [...ul.children].map((li) => li.firstElementChild);
    if (!all.length) return;
    const here = all.findIndex((a) => a === document.activeElement);
    const from = here < 0 ? all.findIndex((a) => a.dataset.id === store.get().route.conversation) : here;
    const at = { first: 0, last: all.length - 1 }[to] ?? Math.min(Math.max(from + to, 0), all.length - 1);
    all[at].focus();
  }

  function focusRow(id) {
    (nodeOf(ul, id)?.firstElementChild ?? heading).focus();
  }

  return { render, move, focusRow, showNew, has: (node) => ul.contains(node), heading };
}

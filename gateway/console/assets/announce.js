// What is said without being asked: to a screen reader, in the title, beside the
// address, and in the bar above everything.

import { $, attribute, put, say } from './dom.js';
import { badge } from './format.js';
import { unread } from './order.js';
import { heard, lastUpdate, waitingCount } from './sentences.js';
import { holds } from './store.js';

const barAfter = 3_000; // ms
const countEvery = 20_000;

export function mountAnnounce({ store }) {
  const bar = $('#bar');
  let counted = null; // the waiting count that was said last
  let saidAt = 0;
  let timer = 0;

  // A change of the number waiting is told at most every 20 s.
  function waiting(n) {
    if (counted === null) counted = n;
    if (n === counted) return;
    const wait = saidAt + countEvery - Date.now();
    clearTimeout(timer);
    if (wait > 0) {
      timer = setTimeout(() => waiting(store.get().lists.waiting.total), wait);
      return;
    }
    counted = n;
    saidAt = Date.now();
    say('status', waitingCount(n));
  }

  function barText({ link }) {
    if (!navigator.onLine) return 'Offline. Replies wait, and leave in order.';
    const away = link.state === 'away' && Date.now() - link.since >= barAfter;
    return away ? lastUpdate(link.last || link.since) : '';
  }

  // message says one sentence for a message that is new, for who has the
  // conversation or looks at it.
  function message(id, m) {
    const state = store.get();
    const c = state.conversations[id];
    if (m.from !== 'consumer' || !m.arrival || m.arrival <= (state.heard[id] ?? 0)) return;
    store.send('heard', { id, arrival: m.arrival });
    if (c && (holds(state, c) || state.route.conversation === id)) say('log', heard(c, m));
  }

  function render(state) {
    const n = unread(state);
    put($('title'), n ? `(${badge(n)}) Lightlock` : 'Lightlock');
    attribute($('#icon'), 'href', `/assets/icon${n ? '-dot' : ''}.svg`);
    const text = state.signedOut ? '' : barText(state);
    // The bar itself is silent: below a dialog it would not be heard.
    if (text && text !== bar.textContent) say('status', text);
    put(bar, text);
    put($('#me'), state.me?.name || state.me?.id || '');
    if (state.lists.waiting.status === 'ready') waiting(state.lists.waiting.total);
  }

  // The bar comes by time alone, and with the network.
  addEventListener('online', store.refresh);
  addEventListener('offline', store.refresh);

  return { render, message };
}

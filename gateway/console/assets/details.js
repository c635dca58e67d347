// Who the consumer is, what is known of the conversation, and which ones the
// consumer had before.

import * as api from './api.js';
import { $, attribute, copy, keyed, put, stamp } from './dom.js';
import { channelName, consumerName, inFull, moment, plain } from './format.js';
import { noteIn } from './listnote.js';
import { address } from './router.js';
import { gist } from './sentences.js';

const most = 20;

export function mountDetails({ store, go }) {
  const pane = $('#details');
  const button = $('#open-details');
  const history = { of: null, list: [], note: {} };
  let open = false;

  // toggle opens the drawer of a narrow window; a wide one shows it always.
  function toggle(on) {
    if (open === on) return;
    open = on;
    pane.classList.toggle('drawn', on);
    attribute(button, 'aria-expanded', String(on));
    if (on) $('#close-details').focus();
    else button.focus();
  }
  button.addEventListener('click', () => toggle(!open));
  $('#close-details').addEventListener('click', () => toggle(false));

  async function load(c) {
    Object.assign(history, { of: c.id, list: [], note: {} });
    try {
      const answer = await api.list({ view: 'closed', queue: c.queue, consumer: c.consumer.id, account: c.account, limit: most });
      if (history.of !== c.id) return;
      history.list = answer.conversations.filter((other) => other.id !== c.id);
      if (!history.list.length) history.note = { text: 'None' };
    } catch (err) {
      if (history.of !== c.id) return;
      // The gateway finds a customer's conversations by an account that it knows.
      history.note = err.status === 400 ? { text: 'They cannot be found: the account is not set up here any more.' }
        : { text: 'They could not be loaded.', button: 'Try again', act: () => load(c) };
    }
    store.refresh();
  }

  function facts(c) {
    const now = Date.now();
    const time = (at) => at && { text: moment(at, now).replace(/min$/, 'min ago'), title: inFull(at) };
    return [
      ['Customer', { text: plain(consumerName(c)) }],
      ['Customer’s id', c.consumer.id && c.consumer.id !== consumerName(c) && { text: plain(c.consumer.id) }],
      ['Channel', { text: channelName(c) }],
      ['Account', { text: c.account }],
      ['Queue', { text: c.queue }],
      ['Opened', time(c.opened_at)],
      [c.state === 'assigned' ? 'Unanswered since' : 'Waits since', c.state !== 'closed' && time(c.waiting_since)],
      ['Last message', time(c.last_message_at)],
      ['Last reply', time(c.last_reply_at)],
      ['Closed', time(c.closed_at)],
    ].filter(([, value]) => value);
  }

  function fact(node, [name, value]) {
    put($('dt', node), name);
    const dd = $('dd', node);
    put(dd, value.text ?? '');
    attribute(dd, 'title', value.title);
  }

  function past(node, c) {
    const a = $('a', node);
    const at = c.closed_at ?? c.last_message_at;
    attribute(a, 'href', address({ conversation: c.id }));
    a.dataset.id = c.id;
    stamp($('time', a), at, moment(at, Date.now()));
    put($('span', a), gist(c, store.get().me));
  }

  $('#history').addEventListener('click', (e) => {
    const a = e.target.closest('a');
    if (!a || e.metaKey || e.ctrlKey || e.shiftKey) return;
    e.preventDefault();
    toggle(false);
    go({ conversation: a.dataset.id, photo: null });
  });

  function render(state, before) {
    const c = state.conversations[state.route.conversation];
    const shown = Boolean(c && state.messages[c.id]?.items);
    pane.classList.toggle('empty', !shown);
    if (before?.route.conversation !== state.route.conversation && open) toggle(false);
    if (!shown) {
      history.of = null;
      return;
    }
    if (history.of !== c.id) load(c);
    keyed($('#facts'), facts(c), { key: ([name]) => name, make: () => copy('fact'), update: fact });
    keyed($('#history'), history.list, { key: (one) => one.id, make: () => copy('past'), update: past });
    noteIn($('#history-note'), history.note);
  }

  return { render, isOpen: () => open, close: () => toggle(false) };
}

// The messages of the open conversation. It opens at the first unread one, and
// follows the end only for somebody who is there.

import { $, calm, copy, keyed, put, show, stamp } from './dom.js';
import { consumerName, dayName, plain, timeOfDay } from './format.js';
import { grid, groups, newest, onTheWay, photos } from './messages.js';
import { noteIn } from './listnote.js';
import { updatePhoto } from './photo.js';
import { fate } from './sentences.js';
import { holds, isMine } from './store.js';

const atEnd = 80; // px
const silence = 5 * 60_000; // ms of silence after which a name is said again

export function mountTranscript({ store, go, loader, outbox, pictures, given }) {
  const scroller = $('#transcript');
  const ol = $('#messages');
  const pill = $('#newer');
  let shownFor = null; // the conversation whose messages are shown
  let following = true;
  let below = 0; // messages that came below what is in view
  let last = '';

  const distance = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  const toEnd = (smooth) => scroller.scrollTo({ top: scroller.scrollHeight, behavior: smooth ? 'smooth' : 'instant' });

  function scrolled() {
    following = distance() < atEnd;
    if (following) setBelow(0);
    if (scroller.scrollTop < 300) loader.older(shownFor);
    look();
  }

  function setBelow(n) {
    below = n;
    show(pill, n > 0);
    if (n) put(pill, `${n} new ↓`);
  }

  scroller.addEventListener('scroll', scrolled, { passive: true });
  pill.addEventListener('click', () => {
    toEnd(!calm());
    scroller.focus({ preventScroll: true });
  });
  // A reply box that grows, or a phone's keyboard, takes room from the end.
  new ResizeObserver(() => {
    if (following) toEnd();
  }).observe(scroller);

  // look tells the gateway what was seen: the newest message is in view, in a
  // window that somebody looks at.
  function look() {
    const m = store.get().messages[shownFor];
    if (!m?.items || document.visibilityState !== 'visible' || !document.hasFocus()) return;
    if (distance() < atEnd) loader.seen(shownFor, newest(m.items));
  }
  addEventListener('focus', look);
  document.addEventListener('visibilitychange', look);

  ol.addEventListener('click', (e) => {
    const button = e.target.closest('button');
    if (!button) return;
    const photo = button.closest('.photo');
    if (button.matches('.thumb')) go({ photo: photo.dataset.id });
    else if (photo) pictures.again(shownFor, photoByID(photo.dataset.id), 'thumbnail');
    else outbox.again(button.closest('li').dataset.key, store.get());
  });

  const photoByID = (id) => photos(store.get().messages[shownFor]?.items ?? []).find(({ photo }) => photo.id === id)?.photo;

  function entries(state, id) {
    const items = groups(state.messages[id].items);
    for (const r of onTheWay(state, id)) {
      const m = { id: r.key, from: 'agent', agent: state.me, text: r.text, at: r.at, delivery: { state: r.state, detail: r.why } };
      items.push({ key: r.key, messages: [m], own: true });
    }
    let before = null;
    return items.map((entry) => {
      const m = entry.messages[0];
      const newDay = !before || new Date(before.at).toDateString() !== new Date(m.at).toDateString();
      const sameVoice = before && !newDay && before.from === m.from && before.agent?.id === m.agent?.id
        && Date.parse(m.at) - Date.parse(before.at) < silence;
      before = entry.messages.at(-1);
      return { ...entry, newDay, sameVoice };
    });
  }

  function speaker(state, c, m) {
    if (m.from === 'consumer') return consumerName(c);
    if (m.from === 'agent' && m.agent?.id === state.me?.id) return 'You';
    return m.agent?.name || m.agent?.id || 'A program';
  }

  function marks(m) {
    return [m.edited_at && 'edited', m.late && 'came late'].filter(Boolean).map((w) => `· ${w}`).join(' ');
  }

  function texts(place, entry) {
    const lines = entry.messages.map((m) => ({ id: m.id, text: m.unsent_at && !m.photos?.length ? null : m.text }))
      .filter(({ text }) => text === null || text);
    keyed(place, lines, {
      key: (l) => l.id,
      make: () => Object.assign(document.createElement('p'), { dir: 'auto' }),
      update(p, { text }) {
        p.classList.toggle('withdrawn', text === null);
        put(p, text ?? 'The customer withdrew it');
      },
    });
    show(place, lines.length);
  }

  function quote(node, state, m) {
    show(node, m.reply_to);
    if (!m.reply_to) return;
    const to = state.messages[shownFor].items.find((other) => other.message_id === m.reply_to);
    put(node, to?.text ? `“${plain(to.text, 120)}”` : 'In answer to an earlier message');
  }

  function boxes(place, entry, context) {
    const all = entry.messages.flatMap((message) => (message.photos ?? []).map((photo) => ({ photo, message })));
    const { boxes: shown, more } = grid(all);
    show(place, shown.length);
    place.classList.toggle('album', shown.length > 1);
    const plusAt = more ? shown.findLastIndex((_, i) => i < 4) : -1;
    keyed(place, shown.map((s, i) => ({ ...s, more: i === plusAt ? more : 0 })), {
      key: ({ photo }) => photo.id,
      make: () => copy('photo'),
      update: (node, item) => updatePhoto(node, item, context),
    });
  }

  function fateOf(node, m, may) {
    const said = m.delivery ? fate(m.delivery) : null;
    show(node, said);
    if (!said) return;
    put($('span', node), said.text);
    node.classList.toggle('wrong', Boolean(said.bad));
    show($('button', node), said.again && may);
  }

  function update(li, entry, context) {
    const { state, conversation } = context;
    const m = entry.messages[0];
    const now = context.now;
    li.dataset.key = entry.key;
    li.className = `from-${m.from === 'consumer' ? 'consumer' : 'us'}`;
    show($('.day', li), entry.newDay);
    put($('.day', li), entry.newDay ? dayName(m.at, now) : '');
    show($('.new', li), entry.messages.some((one) => one.id === state.messages[shownFor].first) && isMine(state, conversation));
    const by = $('.by', li);
    by.classList.toggle('unseen', Boolean(entry.sameVoice));
    put($('bdi', by), speaker(state, conversation, m));
    stamp($('time', by), m.at, timeOfDay(m.at));
    put($('.marks', by), marks(m));
    quote($('.quote', li), state, m);
    boxes($('.photos', li), entry, context);
    texts($('.texts', li), entry);
    fateOf($('.fate', li), m, holds(state, conversation));
  }

  // steady changes the messages without moving what is in view.
  function steady(change) {
    const top = scroller.getBoundingClientRect().top;
    const first = [...ol.children].find((li) => li.getBoundingClientRect().bottom > top + 1);
    const was = first?.getBoundingClientRect().top ?? 0;
    change();
    if (following) toEnd();
    else if (first?.isConnected) scroller.scrollTop += first.getBoundingClientRect().top - was;
  }

  function begin(id, state) {
    shownFor = id;
    setBelow(0);
    const { first } = state.messages[id];
    const li = first && isMine(state, state.conversations[id]) && [...ol.children].find((node) => $('.new:not([hidden])', node));
    if (li) scroller.scrollTop += li.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 8;
    else toEnd();
    following = distance() < atEnd;
  }

  function earlier(state, c) {
    const m = state.messages[c.id];
    const previous = !m.more && c.previous;
    noteIn($('#earlier'), m.more ? { button: 'Earlier messages', act: () => loader.older(shownFor) }
      : previous ? { button: 'The conversation before', act: () => go({ conversation: store.get().conversations[shownFor].previous }) } : {});
  }

  function render(state) {
    const id = state.route.conversation;
    const conversation = state.conversations[id];
    if (!state.messages[id]?.items || !conversation) {
      keyed(ol, [], {});
      shownFor = null;
      return;
    }
    const list = entries(state, id);
    const all = photos(state.messages[id].items);
    const context = { ...given, state, conversation, now: Date.now(), mine: isMine(state, conversation), all, pictures };
    const fresh = shownFor !== id;
    shownFor = id;
    earlier(state, conversation);
    const draw = () => keyed(ol, list, { key: (e) => e.key, make: () => copy('message'), update: (li, e) => update(li, e, context) });
    if (fresh) {
      draw();
      begin(id, state);
    } else {
      const own = list.at(-1)?.own && list.at(-1).key !== last;
      if (own) following = true; // what one has just said, one wants to see
      steady(draw);
      countBelow(list);
    }
    last = list.at(-1)?.key ?? '';
    look();
  }

  function countBelow(list) {
    const at = list.findIndex((e) => e.key === last);
    const added = at < 0 ? 0 : list.length - 1 - at;
    if (!following && added) setBelow(below + added);
  }

  // focusPhoto gives the focus back to a thumbnail, or near it.
  function focusPhoto(id) {
    const button = [...ol.querySelectorAll('.thumb')].find((b) => b.closest('.photo').dataset.id === id && !b.hidden);
    (button ?? scroller).focus();
  }

  return { render, focus: () => scroller.focus({ preventScroll: true }), focusPhoto, toEnd, newestPhoto: () => photos(store.get().messages[shownFor]?.items ?? []).at(-1)?.photo.id };
}


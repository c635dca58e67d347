// What the page knows, and how it changes: pure functions of the state and of
// what happened. No elements, no network, no clock: whoever sends says when.

import { lostTo, markSeen, placeMessage, set, withMessage } from './messages.js';
import { settle, wanted } from './order.js';

const emptyList = () => ({ status: 'new', ids: [], shown: [], ghosts: {}, held: false, next: '', total: 0 });

export function initial() {
  return {
    me: null,
    signedOut: false,
    route: { tab: 'waiting', conversation: null, photo: null },
    conversations: {},
    lists: { waiting: emptyList(), mine: emptyList(), closed: emptyList() },
    search: '',
    messages: {}, // of each conversation that was opened: {status, items, more, first}
    heard: {}, // of each conversation, the newest arrival that was spoken of
    lost: {}, // conversations that were taken from us, until they are opened anew
    outbox: [], // replies that the gateway has not confirmed, oldest first
    link: { state: 'new', since: 0, last: 0 },
  };
}

const patch = (object, key, part) => set(object, key, { ...object[key], ...part });

export const isMine = (state, c) => Boolean(c?.agent && state.me && c.agent.id === state.me.id);
export const holds = (state, c) => c?.state === 'assigned' && isMine(state, c);

function settled(state, tab, now, force = false) {
  const list = state.lists[tab];
  if (list.held && !force) return state;
  const next = settle(list, wanted(state, tab), now, force);
  return next === list ? state : { ...state, lists: set(state.lists, tab, next) };
}

const settleAll = (state, now) => ['waiting', 'mine', 'closed'].reduce((s, tab) => settled(s, tab, now), state);

// newer tells whether a conversation is at least as new as the one we have:
// answers and live updates overtake each other.
const newer = (had, came) => !had || came.version === undefined || (had.version ?? 0) <= came.version;

function learn(state, came) {
  const had = state.conversations[came.id];
  if (!newer(had, came)) return state;
  // Only the answer to one conversation knows its neighbours.
  const merged = { ...came, previous: came.previous ?? had?.previous, next: came.next ?? had?.next };
  const next = { ...state, conversations: set(state.conversations, came.id, merged) };
  if (!(came.id in state.heard)) next.heard = set(state.heard, came.id, came.arrived ?? 0);
  return lostTo(next, had, merged);
}

// counted keeps a list's total true between two answers.
function counted(state, before) {
  const lists = { ...state.lists };
  for (const tab of ['waiting', 'mine']) {
    const change = wanted(state, tab).length - wanted(before, tab).length;
    if (change && lists[tab].status === 'ready') lists[tab] = { ...lists[tab], total: Math.max(0, lists[tab].total + change) };
  }
  return { ...state, lists };
}

// dropAbsent forgets what a whole answer does not have any more, such as what
// was taken and closed while the connection was away.
function dropAbsent(state, tab, ids) {
  if (tab === 'closed') return state;
  const there = new Set(ids);
  const gone = wanted(state, tab).filter((id) => !there.has(id));
  if (!gone.length) return state;
  const conversations = { ...state.conversations };
  for (const id of gone) {
    if (id === state.route.conversation) conversations[id] = { ...conversations[id], stale: true };
    else delete conversations[id];
  }
  return { ...state, conversations };
}

const reducers = {
  signedIn: (state, { me }) => ({ ...state, me, signedOut: false }),
  signedOut: (state) => ({ ...state, signedOut: true }),

  routed(state, { route, now }) {
    const left = state.route.conversation;
    const next = { ...state, route };
    if (left === route.conversation) return settled(next, route.tab, now);
    // What was left is read anew when it is opened again: it is not kept up to date.
    next.messages = { ...state.messages };
    next.lost = { ...state.lost };
    if (left) {
      delete next.messages[left];
      delete next.lost[left];
    }
    return settled(next, route.tab, now);
  },

  listAsked: (state, { tab, now }) => ({
    ...state, lists: patch(state.lists, tab, { status: state.lists[tab].status === 'ready' ? 'ready' : 'loading', since: now }),
  }),

  listCame(state, { tab, answer, further, now }) {
    const ids = answer.conversations.map((c) => c.id);
    let next = answer.conversations.reduce(learn, state);
    const had = further ? next.lists[tab].ids : [];
    next = {
      ...next,
      lists: patch(next.lists, tab, {
        status: 'ready', ids: [...had, ...ids.filter((id) => !had.includes(id))], next: answer.next ?? '',
        total: answer.total ?? had.length + ids.length, searchedTo: answer.searched_to,
      }),
    };
    if (!answer.next) next = dropAbsent(next, tab, next.lists[tab].ids);
    // What was asked for is shown, whoever's hand is in the list.
    if (further || state.lists[tab].status !== 'ready') next = settled(next, tab, now, true);
    return settleAll(next, now);
  },

  listFailed: (state, { tab }) => ({ ...state, lists: patch(state.lists, tab, { status: 'failed' }) }),
  searched: (state, { q }) => ({ ...state, search: q, lists: set(state.lists, 'closed', emptyList()) }),

  conversationCame(state, { conversation, now }) {
    const next = learn(state, conversation);
    if (next === state) return state;
    return settleAll(counted(closedNow(next, state, conversation), state), now);
  },

  conversationGone(state, { id, now }) {
    if (!state.conversations[id]) return state;
    const conversations = { ...state.conversations };
    delete conversations[id];
    const next = { ...state, conversations };
    if (state.messages[id]) next.messages = set(state.messages, id, { status: 'missing' });
    return settleAll(counted(next, state), now);
  },

  messagesAsked: (state, { id, now }) => ({ ...state, messages: patch(state.messages, id, { status: 'loading', since: now }) }),
  messagesCame: (state, { id, answer, older }) => placeMessage(state, id, answer, older),
  messagesFailed: (state, { id, missing }) => ({ ...state, messages: patch(state.messages, id, { status: missing ? 'missing' : 'failed' }) }),
  messageCame: (state, { id, message }) => withMessage(state, id, message),
  heard: (state, { id, arrival }) => ({ ...state, heard: set(state.heard, id, Math.max(arrival, state.heard[id] ?? 0)) }),
  seen: (state, { id, arrival }) => markSeen(state, id, arrival),

  held: (state, { tab, on }) => (state.lists[tab].held === on ? state : { ...state, lists: patch(state.lists, tab, { held: on }) }),
  settled: (state, { tab, now, force }) => settled(state, tab, now, force),

  replyQueued: (state, { reply }) => ({ ...state, outbox: [...state.outbox, reply] }),
  replyChanged: (state, { key, part }) => ({ ...state, outbox: state.outbox.map((r) => (r.key === key ? { ...r, ...part } : r)) }),
  replyGone: (state, { key }) => ({ ...state, outbox: state.outbox.filter((r) => r.key !== key) }),
  replyTaken(state, { key, id, message }) {
    const next = { ...state, outbox: state.outbox.filter((r) => r.key !== key) };
    // The live updates may have overtaken the answer, and know more.
    const known = next.messages[id]?.items?.some((m) => m.id === message.id);
    return known ? next : withMessage(next, id, message);
  },

  linked(state, { link, now }) {
    const live = link === 'open';
    return { ...state, link: { state: link, since: state.link.state === link ? state.link.since : now, last: live ? now : state.link.last } };
  },
  beat: (state, { now }) => (state.link.state === 'open' ? { ...state, link: { ...state.link, last: now } } : state),
};

// closedNow puts a conversation that was closed just now on top of the closed
// ones, where these are not the answer to a search.
function closedNow(next, before, c) {
  const was = before.conversations[c.id];
  if (c.state !== 'closed' || !was || was.state === 'closed' || next.search) return next;
  const { ids } = next.lists.closed;
  return { ...next, lists: patch(next.lists, 'closed', { ids: [c.id, ...ids.filter((id) => id !== c.id)] }) };
}

export function reduce(state, action) {
  return reducers[action.type](state, action);
}

// createStore holds the state and tells those who listen, once for everything
// that happens in one turn.
export function createStore(state = initial(), later = queueMicrotask) {
  const listeners = new Set();
  let told = state;
  let due = false;
  const tell = () => {
    due = false;
    const before = told;
    told = state;
    for (const listen of listeners) listen(state, before);
  };
  const refresh = () => {
    if (due) return;
    due = true;
    later(tell);
  };
  return {
    get: () => state,
    send(type, payload = {}) {
      const next = reduce(state, { type, ...payload });
      if (next === state) return;
      state = next;
      refresh();
    },
    refresh, // for what is not part of the state: the clock, and pictures that came
    subscribe: (listen) => listeners.add(listen),
  };
}

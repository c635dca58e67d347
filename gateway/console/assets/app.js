// The page, put together: what each part is given, what happens at the start, and
// how what the gateway says comes in.

import * as api from './api.js';
import { mountAnnounce } from './announce.js';
import { ask } from './ask.js';
import { mountConversation } from './conversation.js';
import { mountDetails } from './details.js';
import { $, say } from './dom.js';
import { createDrafts } from './drafts.js';
import { count } from './format.js';
import { mountKeys, showKeys } from './keys.js';
import { mountList } from './list.js';
import { connect } from './live.js';
import { createLoader } from './loader.js';
import { createOutbox } from './outbox.js';
import * as pictures from './pictures.js';
import { canReply, mountReply } from './reply.js';
import { address, parse } from './router.js';
import { mountSearch } from './search.js';
import { mountSettings } from './settings.js';
import { byLink, mountSignIn } from './signin.js';
import { createStore, holds, isMine } from './store.js';
import { mountTranscript } from './transcript.js';
import { mountViewer } from './viewer.js';

const tick = 5_000; // ms between two looks at the clock
const startAgain = 3_000; // ms

const given = JSON.parse($('#data').textContent);
const store = createStore();
const loader = createLoader(store);
const drafts = createDrafts(store);
const outbox = createOutbox(store, drafts);
const live = connect(came);
let joined = false;

// --- addresses

function go(part, { replace = false } = {}) {
  const state = store.get();
  const route = { ...state.route, ...part };
  const url = address(route);
  if (url === address(state.route) && route.tab === state.route.tab) return;
  // Whether Back leads to what lies below is known only of what we put on top.
  history[replace ? 'replaceState' : 'pushState']({ ours: !replace || history.state?.ours, tab: route.tab }, '', url);
  routed(route);
}

// leave goes one layer back: out of the viewer, or out of the conversation.
function leave() {
  const { route } = store.get();
  if (history.state?.ours) history.back();
  else go(route.photo ? { photo: null } : { conversation: null }, { replace: true });
}

function routed(route) {
  const before = store.get().route;
  store.send('routed', { route, now: Date.now() });
  if (route.tab === 'closed' && store.get().lists.closed.status === 'new' && store.get().me && !route.q) loader.list('closed');
  if (route.conversation && route.conversation !== before.conversation) opened(route.conversation, before);
  if (!route.conversation && before.conversation) closed(before.conversation);
}

async function opened(id, before) {
  pictures.forget(before.conversation ?? undefined);
  if (!store.get().me) return;
  const from = document.activeElement;
  await loader.open(id);
  const c = store.get().conversations[id];
  if (store.get().route.conversation !== id || !c) return;
  // Who comes by an address from elsewhere finds it in its list.
  if (!history.state) {
    const tab = c.state === 'closed' ? 'closed' : isMine(store.get(), c) ? 'mine' : 'waiting';
    history.replaceState({ tab }, '');
    routed({ ...store.get().route, tab });
  }
  // The heading is there only now. Whoever has moved on stays where they are.
  setTimeout(() => {
    if (!store.get().route.photo && [from, document.body].includes(document.activeElement)) $('#heading').focus({ preventScroll: true });
  });
}

function closed(id) {
  pictures.forget();
  setTimeout(() => list.focusRow(id));
}

addEventListener('popstate', (e) => routed(parse(location, e.state?.tab ?? store.get().route.tab)));

document.addEventListener('click', (e) => {
  const a = e.target.closest('a[data-tab]');
  if (!a || e.metaKey || e.ctrlKey || e.shiftKey || e.button) return;
  e.preventDefault();
  go({ tab: a.dataset.tab, conversation: null, photo: null });
});

// --- parts

const settings = mountSettings({ signOut, showKeys });
const list = mountList({ store, go, loader });
const search = mountSearch({ store, go, loader });
const conversation = mountConversation({ store, go, loader, ask, drafts, canReply });
const transcript = mountTranscript({ store, go, loader, outbox, pictures, given: { keep: given.keep, tries: given.tries } });
const reply = mountReply({ store, drafts, outbox, settings, transcript });
const details = mountDetails({ store, go });
const viewer = mountViewer({ store, go, leave, loader, pictures, transcript });
const announce = mountAnnounce({ store });
const signIn = mountSignIn({ store, entered });
mountKeys({ store, go, leave, settings, list, search, conversation, reply, transcript, viewer, details });

store.subscribe((state, before) => {
  letGo(state, before);
  $('#page').dataset.pane = state.route.conversation ? 'conversation' : 'list';
  for (const part of [announce, search, list, conversation, transcript, reply, details, viewer, signIn]) part.render(state, before);
});
pictures.onChange(store.refresh);
setInterval(() => {
  store.send('settled', { tab: store.get().route.tab, now: Date.now() });
  store.refresh();
}, tick);

// letGo lets go of the pictures of a conversation that is not ours (any more),
// before anything is drawn.
function letGo(state, before) {
  if (state.signedOut) pictures.forget();
  for (const [id, had] of Object.entries(before.conversations)) {
    if (had !== state.conversations[id] && isMine(before, had) && !isMine(state, state.conversations[id])) pictures.forget(id);
  }
}

// --- what the gateway says

const events = {
  conversation(c) {
    const had = store.get().conversations[c.id];
    store.send('conversationCame', { conversation: c, now: Date.now() });
    // Taken by us in another tab: the photos' addresses come with the messages.
    if (c.id === store.get().route.conversation && !holds(store.get(), had) && holds(store.get(), c)) loader.refresh(c.id);
  },
  message({ conversation: id, message }) {
    store.send('messageCame', { id, message });
    announce.message(id, message);
  },
  gone: ({ conversation: id }) => (id === store.get().route.conversation ? loader.refresh(id) : loader.check(id)),
  reset: () => again(),
};

function came({ kind, state, fresh, name, data }) {
  if (kind === 'event') {
    store.send('beat', { now: Date.now() });
    events[name]?.(data);
    return;
  }
  if (state === 'signedOut') return store.send('signedOut');
  const was = store.get().link.state;
  store.send('linked', { link: state, now: Date.now() });
  if (state === 'away') setTimeout(store.refresh, 3_050);
  if (state !== 'open') return;
  outbox.work();
  if (was === 'away') say('status', 'Connected again');
  if (fresh) again();
}

// again fetches everything, as the one who is signed in now.
async function again() {
  try {
    const me = await api.me();
    if (me.id !== store.get().me?.id) return location.reload();
    loader.again();
  } catch { /* the stream will say */ }
}

addEventListener('online', () => outbox.work());

// --- who is there

api.onStranger(() => {
  store.send('signedOut');
  live.signedOut();
});

// entered is for the start and for signing in again. Somebody else begins with
// an empty page.
async function entered(me) {
  const before = store.get().me;
  if (before && before.id !== me.id) return location.reload();
  store.send('signedIn', { me });
  outbox.restore();
  const { route } = store.get();
  if (route.conversation) opened(route.conversation, route);
  const answers = await Promise.all(['waiting', 'mine'].map((tab) => (given[tab] ? loader.listCame(tab, given[tab], false) : loader.list(tab))));
  if (route.tab === 'closed' && !route.q) loader.list('closed');
  given.waiting = given.mine = null;
  live.join(me.id, joined ? '' : answers[0]?.event ?? '');
  joined = true;
}

async function signOut() {
  const n = drafts.count();
  const sure = !n || await ask.sure({ heading: 'Sign out?', text: `${count(n, 'draft')} that ${n === 1 ? 'was' : 'were'} not sent will be lost.`, yes: 'Sign out' });
  if (!sure) return;
  try {
    await api.signOut();
  } catch (err) {
    return say('alert', err.message);
  }
  drafts.destroy();
  live.signedOut();
  location.assign('/');
}

async function start() {
  store.send('routed', { route: parse(location, history.state?.tab), now: Date.now() });
  if (await byLink()) given.me = given.waiting = given.mine = null; // they are of whoever was here before
  if (given.me) return entered(given.me);
  try {
    await entered(await api.me());
  } catch (err) {
    if (err.status === 401) return;
    store.send('linked', { link: 'away', now: Date.now() });
    setTimeout(start, startAgain);
  }
}

start();

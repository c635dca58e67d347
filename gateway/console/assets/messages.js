// The messages of a conversation that is open: their order, what is unread, and
// the replies that are on their way. Pure.

export const set = (object, key, value) => ({ ...object, [key]: value });

function merge(items, came) {
  const byId = new Map(items.map((m) => [m.id, m]));
  for (const m of came) byId.set(m.id, withdrawn(byId.get(m.id), { ...m, at: m.at ?? m.sent_at }));
  return [...byId.values()].sort((a, b) => a.position - b.position);
}

// withdrawn keeps the boxes of photos that were seen before their sender took
// them back, so that nothing moves; only the sentence in them changes.
function withdrawn(had, m) {
  if (!m.unsent_at || m.photos?.length || !had?.photos?.length) return m;
  return { ...m, photos: had.photos.map(({ id }) => ({ id, status: 'withdrawn' })) };
}

// placeMessage takes in a page of messages; older tells on which side it belongs.
export function placeMessage(state, id, answer, older) {
  const had = state.messages[id] ?? {};
  const items = merge(had.items ?? [], answer.messages);
  const read = state.conversations[id]?.read ?? 0;
  const first = had.first === undefined ? items.find((m) => m.arrival > read)?.id ?? null : had.first;
  const more = older || had.items === undefined ? Boolean(answer.more) : had.more;
  return { ...state, messages: set(state.messages, id, { ...had, status: 'ready', items, more, first }) };
}

// withMessage takes in one message, where its conversation is open.
export function withMessage(state, id, message) {
  const had = state.messages[id];
  if (!had?.items || !message) return state;
  // One from before the oldest that is shown comes with its page.
  if (had.more && had.items.length && message.position < had.items[0].position) return state;
  return { ...state, messages: set(state.messages, id, { ...had, items: merge(had.items, [message]) }) };
}

// markSeen counts what the agent has seen at once; the gateway says it again.
export function markSeen(state, id, arrival) {
  const c = state.conversations[id];
  if (!c || (c.read ?? 0) >= arrival) return state;
  const seen = { ...c, read: arrival, unread: Math.max(0, (c.arrived ?? 0) - arrival) };
  return { ...state, conversations: set(state.conversations, id, seen) };
}

// lostTo notes that a conversation that was ours is not any more, other than by
// our closing it.
export function lostTo(state, had, came) {
  const me = state.me?.id;
  const held = (c) => c?.state === 'assigned' && c.agent?.id === me;
  const lost = { ...state.lost };
  if (held(came)) delete lost[came.id];
  else if (held(had) && came.state !== 'closed') lost[came.id] = true;
  else return state;
  return { ...state, lost };
}

// newest is the highest arrival among what is shown.
export const newest = (items) => items.reduce((n, m) => Math.max(n, m.arrival ?? 0), 0);

// onTheWay are the replies to show behind a conversation's messages. A reply may
// arrive by the live updates before its own answer does; it is shown once.
export function onTheWay(state, id) {
  const items = state.messages[id]?.items ?? [];
  const claimed = new Set();
  return state.outbox.filter((r) => r.conversation === id).filter((r) => {
    const own = items.find((m) => m.from === 'agent' && m.agent?.id === state.me?.id && m.text === r.text
      && !claimed.has(m.id) && !r.known.includes(m.id));
    if (own && r.state === 'sending') claimed.add(own.id);
    return !own || r.state !== 'sending';
  });
}

// groups puts the messages of one album together when nothing stands between
// them.
export function groups(items) {
  const all = [];
  for (const m of items) {
    const last = all.at(-1);
    if (m.album && m.from === 'consumer' && last?.album === m.album.id) last.messages.push(m);
    else all.push({ key: m.id, album: m.album?.id, messages: [m] });
  }
  return all;
}

// photos are all that can be opened in the viewer, in order.
export function photos(items) {
  return items.flatMap((message) => (message.photos ?? [])
    .filter((p) => p.status === 'ready' && p.visible && p.preview)
    .map((photo) => ({ photo, message })));
}

const gridOf = 4;

// grid says which photos of an album are shown as boxes, and how many more hide
// behind the fourth. What is not ready never hides: its sentence has to be read.
export function grid(list) {
  const boxes = list.slice(0, gridOf);
  const rest = list.slice(gridOf);
  const told = rest.filter(({ photo }) => photo.status !== 'ready');
  return { boxes: [...boxes, ...told], more: rest.length - told.length };
}

// Which conversations a list has, in which order, and when it may change under
// the agent's hand. Pure.

const ghostFor = 5_000; // ms that a row stays after somebody else took it

const time = (s) => (s ? Date.parse(s) : 0);

// Every change asks for the same order several times: it is worked out once for
// each set of conversations.
const orders = new WeakMap();

// wanted is the list as it truly is.
export function wanted(state, tab) {
  const all = state.conversations;
  if (tab === 'closed') return state.lists.closed.ids.filter((id) => all[id]?.state === 'closed');
  if (!orders.has(all)) orders.set(all, {});
  return orders.get(all)[`${tab} ${state.me?.id}`] ??= sorted(Object.values(all), tab, state.me?.id);
}

function sorted(all, tab, me) {
  // Longest first; what was put back with everything answered comes last. Of ours
  // the newest message is first.
  const place = tab === 'waiting' ? (c) => time(c.waiting_since) || Infinity : (c) => -time(c.last_message_at);
  return all.filter((c) => !c.stale && (tab === 'waiting' ? c.state === tab : c.state === 'assigned' && c.agent?.id === me))
    .map((c) => ({ id: c.id, at: place(c) }))
    .sort((a, b) => (a.at === b.at ? (a.id < b.id ? -1 : 1) : a.at - b.at))
    .map(({ id }) => id);
}

const same = (a, b) => a.length === b.length && a.every((id, i) => id === b[i]);

// settle shows the list as it is. A row that left it stays for a moment, where it
// was and dimmed, so that nothing vanishes by itself under somebody's eyes.
export function settle(list, ids, now, atOnce) {
  const there = new Set(ids);
  const ghosts = {};
  const shown = [...ids];
  list.shown.forEach((id, i) => {
    if (atOnce || there.has(id)) return;
    const left = list.ghosts[id] ?? now;
    if (now - left >= ghostFor) return;
    ghosts[id] = left;
    const before = list.shown.slice(0, i).findLast((other) => shown.includes(other));
    shown.splice(before === undefined ? 0 : shown.indexOf(before) + 1, 0, id);
  });
  if (same(shown, list.shown) && same(Object.keys(ghosts), Object.keys(list.ghosts))) return list;
  return { ...list, shown, ghosts };
}

// waitingChanges says what a held list is holding back: how many arrivals, and
// whether the order would change.
export function waitingChanges(state, tab) {
  const list = state.lists[tab];
  const shown = new Set(list.shown);
  const ids = wanted(state, tab);
  const there = new Set(ids);
  const arrivals = ids.filter((id) => !shown.has(id)).length;
  const reordered = !same(ids.filter((id) => shown.has(id)), list.shown.filter((id) => there.has(id)));
  return { arrivals, reordered };
}

// unread is how many messages of ours nobody has read.
export function unread(state) {
  return wanted(state, 'mine').reduce((n, id) => n + (state.conversations[id].unread ?? 0), 0);
}

// nextUnread is the next of ours with something unread, after the one that is
// open, or else the one that has waited longest.
export function nextUnread(state) {
  const mine = wanted(state, 'mine');
  const at = mine.indexOf(state.route.conversation);
  const found = [...mine.slice(at + 1), ...mine.slice(0, Math.max(at, 0))].find((id) => state.conversations[id].unread > 0);
  return found ?? wanted(state, 'waiting').find((id) => id !== state.route.conversation) ?? null;
}

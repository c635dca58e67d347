// Photos in the page's memory, and nowhere else. A page that may not have them
// any more lets go of all of them at once.

import * as api from './api.js';

const retries = [1000, 3000]; // ms
const atOnce = 3; // browsers have six connections to a host
const mostPreviews = 12;

const held = new Map(); // "conversation photo kind" -> entry
const queue = [];
let running = 0;
let changed = () => {};

export const onChange = (listen) => { changed = listen; };

const name = (conversation, photo, kind) => `${conversation} ${photo.id} ${kind}`;

// get answers at once with what is there: {state: loading | ready | failed |
// gone, url}. The listener is told when that changes.
export function get(conversation, photo, kind) {
  const key = name(conversation, photo, kind);
  let entry = held.get(key);
  if (!entry) {
    entry = { key, conversation, href: photo[kind].href, kind, state: 'loading', tries: 0, stop: new AbortController() };
    held.set(key, entry);
    enqueue(entry);
  }
  return entry;
}

export function again(conversation, photo, kind) {
  const entry = held.get(name(conversation, photo, kind));
  if (entry?.state !== 'failed') return;
  Object.assign(entry, { state: 'loading', tries: 0 });
  enqueue(entry);
  changed();
}

function enqueue(entry) {
  // A preview is wanted now: somebody looks at it.
  if (entry.kind === 'preview') queue.unshift(entry);
  else queue.push(entry);
  next();
}

function next() {
  while (running < atOnce && queue.length) {
    running++;
    load(queue.shift()).finally(() => {
      running--;
      next();
    });
  }
}

async function load(entry) {
  if (held.get(entry.key) !== entry) return;
  try {
    const blob = await api.picture(entry.href, entry.stop.signal);
    if (held.get(entry.key) !== entry) return; // it was let go meanwhile
    entry.url = URL.createObjectURL(blob);
    entry.state = 'ready';
    trim(entry);
    changed();
  } catch (err) {
    if (held.get(entry.key) === entry) failed(entry, err);
  }
}

function failed(entry, err) {
  if (err.status === 404 || err.status === 401) {
    entry.state = 'gone';
    changed();
    return;
  }
  const wait = retries[entry.tries++];
  if (wait !== undefined) {
    setTimeout(() => held.get(entry.key) === entry && enqueue(entry), wait);
    return;
  }
  entry.state = 'failed';
  changed();
}

function letGo(entry) {
  entry.stop.abort();
  held.delete(entry.key);
  if (entry.url) URL.revokeObjectURL(entry.url);
}

// trim bounds what previews cost: the oldest goes.
function trim(added) {
  if (added.kind !== 'preview') return;
  const previews = [...held.values()].filter((e) => e.kind === 'preview' && e.state === 'ready' && e !== added);
  for (const entry of previews.slice(0, Math.max(0, previews.length + 1 - mostPreviews))) letGo(entry);
}

// forget lets go of a conversation's photos, or of all.
export function forget(conversation) {
  for (const entry of held.values()) {
    if (conversation === undefined || entry.conversation === conversation) letGo(entry);
  }
}

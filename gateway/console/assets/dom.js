// The few things that every pane does with elements. Text from outside only ever
// goes through textContent and setAttribute: there is no markup to inject into.

import { inFull } from './format.js';

export const $ = (selector, within = document) => within.querySelector(selector);

// copy makes what the shell's <template> of that name holds.
export const copy = (name) => document.getElementById(`t-${name}`).content.firstElementChild.cloneNode(true);

// put writes only what differs, so that selections and screen readers stay calm.
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node, on) {
  if (node.hidden === Boolean(on)) node.hidden = !on;
}

export function attribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// calm tells whether the system asks for nothing to move.
export const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

// stamp fills a <time>: as the text says, and in full for who asks.
export function stamp(node, at, text) {
  attribute(node, 'datetime', at);
  attribute(node, 'title', inFull(at));
  put(node, text);
}

const kept = new WeakMap();

// keyed makes parent's children those of items, in order. A node stays the same
// for the same key, and whoever has the focus keeps it.
export function keyed(parent, items, { key, make, update }) {
  const nodes = kept.get(parent) ?? new Map();
  const wanted = new Map();
  for (const item of items) wanted.set(key(item), item);
  for (const [k, node] of nodes) {
    if (!wanted.has(k)) {
      node.remove();
      nodes.delete(k);
    }
  }
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  let at = parent.firstChild;
  for (const [k, item] of wanted) {
    let node = nodes.get(k);
    if (!node) nodes.set(k, (node = make(item)));
    if (at === node) at = at.nextSibling;
    else parent.insertBefore(node, at);
    update(node, item);
  }
  kept.set(parent, nodes);
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

// nodeOf finds the child that keyed made for a key.
export const nodeOf = (parent, key) => kept.get(parent)?.get(key);

const settling = 100; // ms

// say puts a sentence into a live region: log, status or alert. Whatever is below
// an open dialog cannot be heard, so every dialog has regions of its own; which
// ones are meant is clear once a dialog that opens or closes has done so. The same
// sentence twice is two sentences, so each is a node of its own; old ones go,
// unheard.
export function say(role, sentence) {
  setTimeout(() => {
    const region = $(`.unseen[role=${role}]`, [...document.querySelectorAll('dialog[open]')].at(-1));
    const line = document.createElement('p');
    line.textContent = sentence;
    region.append(line);
    while (region.childElementCount > 20) region.firstElementChild.remove();
  }, settling);
}

// What was said in a dialog is not said again when it opens the next time.
document.addEventListener('close', ({ target }) => {
  for (const region of target.querySelectorAll('.unseen[role]')) region.replaceChildren();
}, true);

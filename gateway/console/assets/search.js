// The search among closed conversations.

import { $, say, show } from './dom.js';
import { foundCount } from './sentences.js';

const pause = 250; // ms after the last letter
const shortest = 2;

// fold is a text without case and accents, and where each of its signs came from.
function fold(text) {
  let folded = '';
  const from = [];
  let at = 0;
  for (const sign of text) {
    const plain = sign.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
    folded += plain;
    for (let i = 0; i < plain.length; i++) from.push(at);
    at += sign.length;
  }
  from.push(at);
  return { folded, from };
}

// marked writes a text with every place that matches q in a <mark>.
export function marked(node, text, q = '') {
  const want = `${q}\u0000${text}`;
  if (node.marked === want) return;
  node.marked = want;
  node.replaceChildren();
  const { folded, from } = fold(text);
  const word = fold(q.trim()).folded;
  let done = 0;
  for (let at = word && folded.indexOf(word); word && at >= 0; at = folded.indexOf(word, at + word.length)) {
    node.append(text.slice(done, from[at]));
    const mark = document.createElement('mark');
    done = from[at + word.length];
    mark.textContent = text.slice(from[at], done);
    node.append(mark);
  }
  node.append(text.slice(done));
}

export function mountSearch({ store, go, loader }) {
  const form = $('#search');
  const input = $('#q');
  let timer = 0;

  async function look(q) {
    if (q === store.get().search) return;
    go({ tab: 'closed', conversation: null, photo: null, q }, { replace: true });
    const answer = await loader.find(q);
    if (q && answer) say('status', foundCount(answer.conversations.length, answer.next));
  }

  const wanted = () => {
    const q = input.value.trim();
    return [...q].length >= shortest ? q : '';
  };

  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => look(wanted()), pause);
  });
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    clearTimeout(timer);
    look(wanted());
  });

  function render(state, before) {
    show(form, state.route.tab === 'closed');
    // The address says what is searched for: at the start, and after Back.
    if (before?.route !== state.route && state.route.tab === 'closed' && document.activeElement !== input && !state.route.conversation) {
      input.value = state.route.q ?? '';
      look(wanted());
    }
  }

  return { render, focus: () => input.focus(), has: (node) => node === input };
}

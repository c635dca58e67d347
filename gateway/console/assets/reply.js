// The reply box: drafts that survive a reload, and a key that sends.

import { $, attribute, put } from './dom.js';
import { count } from './format.js';
import { answerUntil } from './sentences.js';
import { holds } from './store.js';

const near = 0.8; // of the limit: from there on the room left is said
const mostMessages = 10; // into which the gateway splits a text

// canReply tells whether there is a box to write into.
export const canReply = (state, c) => holds(state, c) && c.can?.reply !== false;

export function mountReply({ store, drafts, outbox, settings, transcript }) {
  const form = $('#reply');
  const box = $('#text');
  const hint = $('#reply-hint');
  let shownFor = null;

  // The gateway counts as scripts do, and splits what is longer than one message.
  const length = () => box.value.length;
  const limit = () => store.get().conversations[shownFor]?.text_limit || Infinity;
  const over = () => Math.max(0, length() - mostMessages * limit());

  function grow() {
    box.style.height = 'auto';
    box.style.height = `${box.scrollHeight + 2}px`;
  }

  // usual is what stands there while there is nothing to warn of.
  const usual = (c) => [
    c?.reply_until && answerUntil(c.reply_until, Date.now()),
    settings.enterSends() && 'Enter sends',
    settings.hintAtLetters() && 'Esc for the keys',
  ].filter(Boolean).join(' · ');

  function hints() {
    const c = store.get().conversations[shownFor];
    const tooMany = over();
    const left = limit() - length();
    $('#send').disabled = !box.value.trim() || tooMany > 0;
    box.setAttribute('aria-invalid', tooMany > 0);
    hint.classList.toggle('wrong', tooMany > 0);
    if (tooMany > 0) put(hint, `${count(tooMany, 'character')} too many`);
    else if (left < 0) put(hint, `Goes as ${Math.ceil(length() / limit())} messages`);
    else if (length() > near * limit()) put(hint, `${count(left, 'character')} left`);
    else put(hint, usual(c));
  }

  function send() {
    const text = box.value.trim();
    if (!text || over() > 0) return;
    outbox.add(shownFor, text);
    box.value = '';
    drafts.set(shownFor, '');
    grow();
    hints();
    transcript.toEnd();
  }

  box.addEventListener('input', () => {
    drafts.set(shownFor, box.value);
    grow();
    hints();
  });
  box.addEventListener('keydown', (e) => {
    // While an input method composes, Enter chooses a word.
    if (e.key !== 'Enter' || e.shiftKey || e.isComposing || e.keyCode === 229 || !settings.enterSends()) return;
    e.preventDefault();
    send();
  });
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    send();
  });

  // What is written in another tab is there, too, unless it is written over here.
  drafts.elsewhere('draft', (id, text) => {
    if (id !== shownFor || document.activeElement === box) return;
    box.value = text ?? '';
    grow();
    hints();
  });

  function render(state) {
    const id = state.route.conversation;
    const c = state.conversations[id];
    const can = state.messages[id]?.items && canReply(state, c);
    if (!can) {
      shownFor = null;
      return;
    }
    if (shownFor !== id) {
      shownFor = id;
      box.value = drafts.get(id);
      grow();
    }
    attribute(box, 'aria-describedby', 'reply-hint');
    hints();
  }

  return { render, focus: () => box.focus(), has: (node) => form.contains(node) };
}

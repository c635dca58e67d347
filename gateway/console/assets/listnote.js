// What a list says instead of rows, or below them: empty, loading, failed, more.

import { $, copy, put } from './dom.js';
import { day, plain } from './format.js';

const skeletonAfter = 150; // ms
const retryAfter = 10_000; // ms

// looks are the moments at which a wait changes its look.
export const looks = [skeletonAfter, retryAfter];

function empty(state, tab) {
  if (tab === 'waiting') return 'Nobody is waiting. New ones appear by themselves.';
  if (tab === 'mine') return 'You have no conversation. Take one that is waiting.';
  return state.search ? `Nothing found for “${plain(state.search, 60)}”.` : 'Nothing has been closed yet.';
}


// noteIn fills a place with a sentence, a skeleton and a button, as far as given.
export function noteIn(place, { text = '', skeleton = 0, button = '', act }) {
  const want = `${text}|${skeleton}|${button}`;
  if (place.dataset.says === want) return;
  place.dataset.says = want;
  place.replaceChildren();
  for (let i = 0; i < skeleton; i++) place.append(copy('skeleton'));
  if (text) put(place.appendChild(document.createElement('p')), text);
  if (!button) return;
  const b = place.appendChild(document.createElement('button'));
  b.type = 'button';
  b.textContent = button;
  b.addEventListener('click', act);
}

// waitingNote is noteIn for something that is being fetched or could not be:
// nothing at first, so that what is fast does not flicker; then a skeleton; then
// a way out.
export function waitingNote({ status, since }, what, again) {
  if (status === 'failed') return { text: `${what} could not be loaded.`, button: 'Try again', act: again };
  const waited = Date.now() - (since ?? Date.now());
  if (waited < skeletonAfter) return {};
  if (waited < retryAfter) return { skeleton: 6 };
  return { text: 'This takes longer than usual.', button: 'Try again', act: again };
}

export function listNote(place, loader) {
  return (state, rows) => {
    const { tab } = state.route;
    const list = state.lists[tab];
    place.classList.toggle('below', rows > 0);
    if (list.status !== 'ready') {
      noteIn(place, rows && list.status !== 'failed' ? {} : waitingNote(list, 'The list', () => loader.list(tab)));
    } else if (tab === 'closed' && list.next) {
      const text = list.searchedTo ? `Looked back to ${day(list.searchedTo, Date.now())}.` : '';
      noteIn(place, { text, button: state.search ? 'Search on' : 'Show more', act: () => loader.list(tab, list.next) });
    } else {
      noteIn(place, rows ? {} : { text: empty(state, tab) });
    }
    $('p', place)?.classList.toggle('muted', rows > 0);
  };
}

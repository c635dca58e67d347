// The keys. Letters are for when nobody writes, and can be switched off.

import { $, copy, put } from './dom.js';
import { nextUnread } from './order.js';

const help = {
  Anywhere: [['1 2 3', 'Waiting, Mine, Closed'], ['n', 'Next unread'], ['/', 'Search'], ['?', 'These keys'], ['Esc', 'One layer back']],
  List: [['j k ↓ ↑', 'Down, up'], ['Home End', 'First, last'], ['Enter', 'Open'], ['.', 'Show the new ones']],
  Conversation: [['t', 'Take'], ['r', 'Reply'], ['p', 'Newest photo'], ['x', 'Transfer'], ['e', 'Close']],
  Photo: [['← → Home End', 'Other photos'], ['+ −', 'Zoom'], ['0 1', 'Whole photo, 100 %'], ['r R', 'Rotate right, left'], ['Shift + arrows', 'Pan'], ['Esc', 'Back']],
};

export function showKeys() {
  const lists = $('#keys-lists');
  if (!lists.childElementCount) lists.append(...Object.entries(help).map(section));
  $('#keys').showModal();
}

function section([title, keys]) {
  const node = copy('keys');
  put($('h3', node), title);
  $('dl', node).append(...keys.map(([key, does]) => {
    const row = copy('key');
    put($('dt', row), key);
    put($('dd', row), does);
    return row;
  }));
  return node;
}

const writing = (node) => node.closest?.('textarea, select, input:not([type=radio], [type=checkbox])');

export function mountKeys({ store, go, leave, settings, list, search, conversation, reply, transcript, viewer, details }) {
  const tab = (name) => () => go({ tab: name, conversation: null, photo: null });

  function next() {
    const id = nextUnread(store.get());
    if (id) go({ conversation: id, photo: null });
  }

  function back() {
    const { route } = store.get();
    if (details.isOpen()) return details.close();
    if (!route.conversation) return undefined;
    if (reply.has(document.activeElement)) return transcript.focus();
    if (list.has(document.activeElement)) return undefined;
    if (matchMedia('(max-width: 719px)').matches) return leave();
    return list.focusRow(route.conversation);
  }

  function searching() {
    if (store.get().route.tab !== 'closed') go({ tab: 'closed', conversation: null, photo: null });
    setTimeout(search.focus);
  }

  const letters = {
    1: tab('waiting'), 2: tab('mine'), 3: tab('closed'), n: next, '/': searching, '?': showKeys,
    j: () => list.move(1), k: () => list.move(-1), '.': list.showNew,
    t: () => conversation.act('take'), x: () => conversation.act('transfer'), e: () => conversation.act('close'),
    r: reply.focus,
    p() {
      const photo = transcript.newestPhoto();
      if (photo) go({ photo });
    },
  };
  const inList = { ArrowDown: () => list.move(1), ArrowUp: () => list.move(-1), Home: () => list.move('first'), End: () => list.move('last') };
  const inViewer = {
    ArrowLeft: 'previous', ArrowRight: 'next', Home: 'first', End: 'last',
    '+': 'in', '=': 'in', '-': 'out', '−': 'out', 0: 'fit', 1: 'full', r: 'right', R: 'left',
  };

  function action(e) {
    if (e.key === 'Escape') return back;
    if (list.has(e.target) && inList[e.key] && !e.shiftKey) return inList[e.key];
    if (!settings.letters() || writing(e.target)) return null;
    return letters[e.key];
  }

  function viewerAction(e) {
    if (e.shiftKey && e.key.startsWith('Arrow')) return () => viewer.panKey(e.key);
    // A digit or a letter is a single key, an arrow is none.
    if (e.key.length === 1 && !settings.letters()) return null;
    return inViewer[e.key] && (() => viewer.act(inViewer[e.key]));
  }

  document.addEventListener('keydown', (e) => {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
    const dialog = document.querySelector('dialog[open]');
    if (dialog && !viewer.isOpen()) return;
    if (e.key === 'Escape' && viewer.isOpen()) return; // the dialog's own
    const act = viewer.isOpen() ? viewerAction(e) : action(e);
    if (!act) return;
    e.preventDefault();
    act();
  });
}


// A photo on the whole page. It is named by the photo and not by its place, so
// that what comes meanwhile changes nothing.

import { $, attribute, calm, put, say, show } from './dom.js';
import { consumerName, inFull, number, plain, timeOfDay } from './format.js';
import { watch } from './gestures.js';
import { photos } from './messages.js';
import { isMine } from './store.js';
import * as zoom from './zoom.js';

const panBy = 80; // px for a key
const fade = 150; // ms

export function mountViewer({ store, go, leave, loader, pictures, transcript }) {
  const dialog = $('#viewer');
  const stage = $('#stage');
  const turns = new Map(); // photo -> quarters, until the page is loaded anew
  let shown = null; // {photo, message}
  let view = zoom.fitted();
  let sheet = null; // the element that bears thumbnail and preview
  let searched = null; // the photo for which older pages were read

  const list = () => {
    const { route, messages } = store.get();
    return photos(messages[route.conversation]?.items ?? []);
  };
  const size = () => ({ width: shown.photo.preview.width, height: shown.photo.preview.height });
  const room = () => ({ width: stage.clientWidth, height: stage.clientHeight });
  const at = () => list().findIndex(({ photo }) => photo.id === shown?.photo.id);

  function place(next) {
    view = next;
    if (!sheet) return;
    const f = zoom.factor(view, size(), room());
    sheet.style.transform = `translate(-50%, -50%) translate(${view.x}px, ${view.y}px) rotate(${view.turn * 90}deg) scale(${f})`;
    put($('#zoom-level'), view.scale === 'fit' ? 'Fit' : `${number(f * 100)} %`);
    attribute($('#zoom-level'), 'aria-label', `Zoom: ${$('#zoom-level').textContent}`);
    stage.classList.toggle('large', view.scale !== 'fit');
  }

  const zoomBy = (direction, where) => place(zoom.step(view, direction, size(), room(), where));

  function rotate(quarters) {
    place(zoom.rotate(view, quarters));
    turns.set(shown.photo.id, view.turn);
  }

  function move(by) {
    const next = list()[at() + by];
    if (next) go({ photo: next.photo.id }, { replace: true });
  }

  function jump(to) {
    const all = list();
    go({ photo: all.at(to).photo.id }, { replace: true });
  }

  // draw lays a sheet of the preview's size: the thumbnail fills it at once, and
  // the preview fades in above.
  function draw() {
    const { width, height } = size();
    sheet = document.createElement('div');
    sheet.className = 'sheet';
    sheet.style.width = `${width}px`;
    sheet.style.height = `${height}px`;
    stage.replaceChildren(sheet);
    place(zoom.fitted(turns.get(shown.photo.id) ?? 0));
  }

  function picture(kind) {
    const entry = pictures.get(store.get().route.conversation, shown.photo, kind);
    const had = $(`.${kind}`, sheet);
    if (entry.state !== 'ready' || had) return entry.state;
    const img = Object.assign(document.createElement('img'), { className: kind, alt: '' });
    img.src = entry.url;
    sheet.append(img);
    if (kind === 'preview') reveal(img, sheet);
    return entry.state;
  }

  // reveal fades a preview in. Then the thumbnail goes: their edges may lie a part
  // of a pixel apart, which is seen.
  async function reveal(img, on) {
    try {
      await img.decode();
      if (!calm()) await img.animate?.([{ opacity: 0 }, { opacity: 1 }], fade).finished;
      on.classList.add('whole');
    } catch { /* the thumbnail is better than nothing */ }
  }

  function fill() {
    if (shown.photo.thumbnail) picture('thumbnail');
    const state = picture('preview');
    let note = $('.note', stage);
    if (state !== 'failed' && state !== 'gone') {
      note?.remove();
      return;
    }
    if (note) return;
    note = Object.assign(document.createElement('div'), { className: 'note' });
    const again = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Try again' });
    again.addEventListener('click', () => pictures.again(store.get().route.conversation, shown.photo, 'preview'));
    note.append('Could not load. ', state === 'failed' ? again : '');
    stage.append(note);
  }

  // ahead decodes the photos on both sides once there is nothing else to do.
  function ahead() {
    const idle = globalThis.requestIdleCallback ?? ((f) => setTimeout(f, 200));
    const here = at();
    idle(() => {
      for (const near of [list()[here + 1], list()[here - 1]]) {
        if (!near || !shown) continue;
        const entry = pictures.get(store.get().route.conversation, near.photo, 'preview');
        if (entry.state === 'ready' && !entry.decoded) {
          entry.decoded = true;
          Object.assign(new Image(), { src: entry.url }).decode().catch(() => {});
        }
      }
    });
  }

  function words(state) {
    const { photo, message } = shown;
    const c = state.conversations[state.route.conversation];
    const where = `${at() + 1} of ${list().length}`;
    put($('#viewer-heading'), `Photo from ${plain(consumerName(c), 60)}, ${timeOfDay(message.at)}`);
    attribute($('#viewer-heading'), 'title', inFull(message.at));
    put($('#viewer-place'), [where, photo.damaged && 'Part of this photo is missing'].filter(Boolean).join(' · '));
    put($('#viewer-caption'), message.text ?? '');
    show($('#viewer-caption'), message.text);
    $('[data-do=previous]', dialog).disabled = at() <= 0;
    $('[data-do=next]', dialog).disabled = at() >= list().length - 1;
    return where;
  }

  function open(state, found) {
    const first = !dialog.open;
    shown = found;
    if (first) dialog.showModal();
    draw();
    const where = words(state);
    fill();
    if (first) $('#viewer-heading').focus();
    else say('status', `Photo ${where}${found.message.text ? `. ${plain(found.message.text, 150)}` : ''}`);
  }

  function close() {
    if (!dialog.open) return;
    const last = shown?.photo.id;
    dialog.close();
    stage.replaceChildren();
    shown = sheet = null;
    transcript.focusPhoto(last);
  }

  // absent is a photo that is named and not (yet) among those shown: it may be on
  // an older page, or it is not to be seen.
  async function absent(state, id) {
    const m = state.messages[state.route.conversation];
    if (!m?.items) return;
    if (m.more && searched !== `${id} ${m.items[0]?.id}`) {
      searched = `${id} ${m.items[0]?.id}`;
      if (await loader.older(state.route.conversation)) return;
    }
    if (store.get().route.photo === id) go({ photo: null }, { replace: true });
  }

  function render(state) {
    const { photo, conversation } = state.route;
    const mine = isMine(state, state.conversations[conversation]);
    const found = photo && mine && list().find((one) => one.photo.id === photo);
    if (!found) {
      close();
      if (photo) absent(state, photo);
      return;
    }
    if (shown?.photo.id !== photo) open(state, found);
    shown = found;
    words(state);
    fill();
    ahead();
  }

  const does = {
    in: () => zoomBy(1), out: () => zoomBy(-1), toggle: () => place(zoom.toggle(view, size(), room())),
    fit: () => place(zoom.to(view, 'fit', size(), room())), full: () => place(zoom.to(view, 1, size(), room())),
    left: () => rotate(-1), right: () => rotate(1),
    previous: () => move(-1), next: () => move(1), first: () => jump(0), last: () => jump(-1),
    close: leave,
  };
  const act = (what) => shown && does[what]?.();

  dialog.addEventListener('click', (e) => act(e.target.closest('[data-do]')?.dataset.do));
  dialog.addEventListener('cancel', (e) => {
    e.preventDefault(); // the address says whether it is open
    leave();
  });
  new ResizeObserver(() => shown && place(view.scale === 'fit' ? view : zoom.pan(view, 0, 0, size(), room()))).observe(stage);

  watch(stage, {
    wheel: (direction, where) => zoomBy(direction, where),
    pinch: (grow, where) => place(zoom.to(view, zoom.factor(view, size(), room()) * grow, size(), room(), where)),
    pan: (dx, dy) => place(zoom.pan(view, dx, dy, size(), room())),
    click: (where) => view.scale !== 'fit' && place(zoom.centre(view, where, size(), room())),
    double: (where) => place(zoom.toggle(view, size(), room(), where)),
    swipe: (way) => act({ left: 'next', right: 'previous', down: 'close' }[way]),
    still: () => !shown || view.scale === 'fit',
  });

  const pans = { ArrowLeft: [panBy, 0], ArrowRight: [-panBy, 0], ArrowUp: [0, panBy], ArrowDown: [0, -panBy] };
  const panKey = (key) => shown && pans[key] && place(zoom.pan(view, ...pans[key], size(), room()));

  return { render, act, panKey, isOpen: () => dialog.open };
}

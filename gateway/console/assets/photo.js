// One photo's box in the transcript. It has its size before anything is known
// of the photo, so that nothing moves when it comes.

import { $, attribute, put, show } from './dom.js';
import { consumerName } from './format.js';
import { couldNotLoad, deleted, photoLabel, photoSentence } from './sentences.js';

const month = 30.4 * 24 * 60 * 60_000; // ms

// gone is what to say of a photo that is not there (any more). keep is the
// retention time in months.
function gone(message, now, keep) {
  const age = now - Date.parse(message.at);
  return keep && age > (keep - 1) * month ? deleted(keep) : couldNotLoad;
}

function look({ photo, message }, context) {
  const told = ['sent', 'delivered'].includes(message.notice?.state);
  const text = photoSentence(photo, { conversation: context.conversation, at: message.at, now: context.now, told, mine: context.mine, tries: context.tries });
  if (text || !photo.thumbnail) return { text };
  const picture = context.pictures.get(context.conversation.id, photo, 'thumbnail');
  if (picture.state === 'ready') return { url: picture.url };
  if (picture.state === 'failed') return { text: couldNotLoad, again: true };
  if (picture.state === 'gone') return { text: gone(message, context.now, context.keep) };
  return { text: '', loading: true };
}

// image puts the picture in and takes it out: what may not be seen any more is
// not in the document.
function image(button, url) {
  const had = $('img', button);
  if (!url) {
    had?.remove();
    return;
  }
  const img = had ?? Object.assign(document.createElement('img'), { alt: '', width: 160, height: 160 });
  attribute(img, 'src', url);
  if (!had) button.prepend(img);
}

export function updatePhoto(node, item, context) {
  const { photo, message, more } = item;
  const { text, url, again, loading } = look(item, context);
  const button = $('.thumb', node);
  node.dataset.id = photo.id;
  show(button, url);
  image(button, url);
  show($('.box', node), !url);
  $('.box', node).classList.toggle('loading', Boolean(loading));
  put($('.why', node), text ?? '');
  show($('.again', node), again);
  show($('.missing', node), url && photo.damaged);
  show($('.plus', node), url && more);
  put($('.plus', node), more ? `+${more}` : '');
  if (!url) return;
  const index = context.all.findIndex((other) => other.photo.id === photo.id) + 1;
  attribute(button, 'aria-label', photoLabel({
    index, total: context.all.length, name: consumerName(context.conversation), at: message.at, caption: message.text, more,
  }));
}

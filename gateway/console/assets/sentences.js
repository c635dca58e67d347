// What is said about a photo, a reply and a conversation. Nothing here knows of
// elements, and every sentence stands in one place.

import { channelName, consumerName, count, day, dayName, moment, number, plain, sizes, timeOfDay } from './format.js';

const fetchingAfter = 10_000; // ms

// kindOf says in a word what a file is that is no photo.
function kindOf(type = '') {
  const [kind, form] = type.toLowerCase().split(/[/;+]/);
  if (form === 'pdf') return 'a PDF';
  if (kind === 'image') return `a picture in ${form.toUpperCase()}`;
  return { video: 'a video', audio: 'a recording' }[kind] ?? 'a file';
}

function tooLarge(photo, channel) {
  const bytes = photo.source?.bytes;
  if (!photo.limit_bytes) return `larger than ${channel} allows`;
  const [size, limit] = sizes(bytes || 0, photo.limit_bytes);
  return bytes > photo.limit_bytes ? `${size}; ${channel} allows ${limit}` : `more than ${channel} allows, ${limit}`;
}

function tooManyPixels({ source }) {
  if (!source?.width) return 'it has too many pixels';
  return `${number(source.width)} × ${number(source.height)} pixels is too many`;
}

const reasons = {
  too_large: tooLarge,
  unsupported_type: (p) => `${kindOf(p.source?.type)}, not a photo we accept`,
  animated: () => 'it moves. Ask for a still photo',
  too_many_pixels: tooManyPixels,
  corrupt: () => 'the file is broken. Ask for it again',
  expired: (_, channel) => `${channel} no longer had it. Ask for it again`,
  unreachable: (_, channel, tries) => `${channel} did not deliver it${tries ? ` in ${count(tries, 'try', 'tries')}` : ''}`,
  disabled: () => 'photos are off for this account',
  too_complex: () => 'no camera makes files like this',
};

function coming(photo, channel, age) {
  if (age < fetchingAfter) return 'Photo on its way';
  const tries = photo.try && photo.of ? `, try ${photo.try} of ${photo.of}` : '';
  return `Still fetching from ${photo.host_title || channel}${tries}`;
}

// photoSentence is what stands in a photo's box, or '' where the photo does.
export function photoSentence(photo, { conversation, at, now, told, mine, tries }) {
  const channel = channelName(conversation);
  if (photo.status === 'withdrawn') return 'The customer withdrew it';
  if (photo.status === 'pending') return coming(photo, channel, now - Date.parse(at));
  if (photo.status === 'rejected') {
    const why = reasons[photo.reason]?.(photo, channel, tries) ?? 'it was refused';
    return `Not shown: ${why}${told ? '\nThe customer was told' : ''}`;
  }
  if (photo.visible && mine) return '';
  return hidden(conversation);
}

function hidden(conversation) {
  if (conversation.state === 'waiting') return 'Take it to see this photo';
  const agent = plain(conversation.agent?.name || conversation.agent?.id, 40);
  if (conversation.state === 'assigned') return `Only ${agent} can see this photo`;
  return agent ? `Only ${agent}, who had it, can see this photo` : 'Nobody had it when it was closed';
}

// deleted is said of a photo that the retention time has destroyed.
export const deleted = (months) => `Deleted after ${count(months, 'month')}`;
export const couldNotLoad = 'Could not load.';

// fate says what became of a reply; again tells whether it may be sent anew.
export function fate(delivery) {
  const why = plain(delivery.detail, 300).replace(/\.$/, '');
  switch (delivery.state) {
    case 'sent': return { text: 'Sent' };
    case 'delivered': return { text: 'Delivered' };
    case 'failed': return { text: `Not sent: ${why || 'the channel refused it'}.`, bad: true, again: true };
    case 'unknown': return { text: 'Perhaps not sent: the channel did not answer. Ask before you repeat it.', bad: true };
    case 'queued': return { text: 'Waits for the connection' };
    default: return { text: 'Sending' };
  }
}

const photosIn = (n) => (n ? count(n, 'photo') : '');

// gist is the one line of a row.
export function gist(conversation, me) {
  const last = conversation.last;
  if (!last) return '';
  if (last.unsent) return 'Withdrawn';
  const what = [photosIn(last.photos), last.text].filter(Boolean).join(' · ') || 'No text';
  if (last.from === 'consumer') return what;
  return `${conversation.agent?.id === me?.id && last.from === 'agent' ? 'You' : 'Answer'}: ${what}`;
}

// taken is what a row says that does not belong into its list any more.
export function taken(conversation, me) {
  const by = conversation.agent && (conversation.agent.id === me?.id ? 'you' : plain(conversation.agent.name || conversation.agent.id, 40));
  if (conversation.state === 'assigned') return `Taken by ${by}`;
  if (conversation.state === 'closed') return 'Closed';
  return 'Put back among the waiting';
}

// closedBy is “Closed by you, 12 Nov”, or the time if it was today.
export function closedBy(conversation, me, now) {
  const { kind, id, name } = conversation.closed_by ?? {};
  const who = kind === 'consumer' ? 'the customer' : kind === 'idle' ? 'nobody: it was silent for long'
    : id && id === me?.id ? 'you' : plain(name || id || 'somebody', 40);
  const at = conversation.closed_at;
  const when = at && (dayName(at, now) === 'Today' ? timeOfDay(at) : day(at, now));
  return `Closed by ${who}${when ? `, ${when}` : ''}`;
}

const cannot = {
  window_over: 'The channel takes no answer any more: the time for one is over. It will again when the customer writes.',
  closed: 'A message came after it was closed. Read it, and close it again.',
  no_channel: 'It cannot be answered: its channel is not set up here any more.',
};
export const cannotReply = (conversation) => cannot[conversation.can?.reason] ?? 'It cannot be answered.';

export function holder(conversation) {
  return plain(conversation.agent?.name || conversation.agent?.id || 'somebody else', 40);
}

// heard is the one sentence that is read out for a new message.
export function heard(conversation, message) {
  const what = [plain(message.text, 300), photosIn(message.photos?.length)].filter(Boolean).join(', ');
  return `${plain(consumerName(conversation), 60)}: ${what || 'a message'}`;
}

// photoLabel names a thumbnail's button; more photos are behind it.
export function photoLabel({ index, total, name, at, caption, more }) {
  const said = plain(caption, 150);
  return `Open photo ${index} of ${total} from ${plain(name, 60)}, ${timeOfDay(at)}.${said ? ` Caption: ${said}` : ''}${more ? ` +${more} more` : ''}`;
}

// waits is said before a time that stands alone: since when, or for how long.
export const waits = (time) => (/min$/.test(time) ? 'Waits ' : 'Waits since ');

export const waitingCount = (n) => (n ? `${count(n, 'conversation')} waiting` : 'Nobody is waiting');
export const lastUpdate = (at) => `Reconnecting… last update ${timeOfDay(at)}`;
export const foundCount = (n, more) => `${more ? 'More than ' : ''}${count(n, 'conversation')} found`;
export const answerUntil = (at, now) => `Answer until ${moment(at, now)}`;

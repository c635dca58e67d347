// Times, sizes and the like in words. Nothing here knows of elements.

const locale = 'en-GB';
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short' });
const date = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const dateWithYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
const full = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' });

const minute = 60_000;
const midnight = (t) => new Date(t).setHours(0, 0, 0, 0);
// Days apart by the calendar: a night with a change of clocks has no 24 hours.
const daysBetween = (a, b) => Math.round((midnight(b) - midnight(a)) / (24 * 60 * minute));

// A time may be unknown, and then nothing is said of it.
const known = (at) => !Number.isNaN(new Date(at ?? NaN).getTime());

export const timeOfDay = (at) => (known(at) ? clock.format(new Date(at)) : '');
export const inFull = (at) => (known(at) ? full.format(new Date(at)) : '');

// day is "12 Nov", with the year where it is another.
export function day(at, now) {
  const d = new Date(at);
  return (d.getFullYear() === new Date(now).getFullYear() ? date : dateWithYear).format(d);
}

// moment is now, 4 min, 14:32, Tue 14:32 or 12 Nov.
export function moment(at, now) {
  if (!known(at)) return '';
  const t = Date.parse(at);
  const age = now - t;
  if (age < minute && age > -minute) return 'now';
  if (age > 0 && age < 60 * minute) return `${Math.floor(age / minute)} min`;
  const days = daysBetween(t, now);
  if (days === 0) return timeOfDay(t);
  if (Math.abs(days) < 7) return `${weekday.format(t)} ${timeOfDay(t)}`;
  return day(t, now);
}

// dayName divides a transcript.
export function dayName(at, now) {
  if (!known(at)) return '';
  const days = daysBetween(Date.parse(at), now);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return `${weekday.format(new Date(at))} ${day(at, now)}`;
}

export const number = (n, digits = 0) => n.toLocaleString('en', { maximumFractionDigits: digits });
export const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
export const badge = (n) => (n > 99 ? '99+' : String(n));

const megabyte = 1_048_576;

// sizes writes a size and the limit that it breaks. They never look alike: as
// many digits are written as it takes to tell them apart.
export function sizes(bytes, limit) {
  for (let digits = 1; digits <= 6; digits++) {
    const [a, b] = [bytes, limit].map((n) => number(n / megabyte, digits));
    if (a !== b) return [`${a} MB`, `${b} MB`];
  }
  return [bytes, limit].map((n) => `${number(n)} bytes`);
}

const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

// plain is for text that stands among ours in one string, such as a label or the
// title: what turns the direction of writing would turn our words, too.
export function plain(text, most = 200) {
  const clean = String(text ?? '').replace(bidi, '').replace(/\s+/g, ' ').trim();
  const signs = [...clean.slice(0, 4 * most)];
  return signs.length > most ? `${signs.slice(0, most).join('')}…` : clean;
}

export const channelName = (c) => c.channel_title || c.channel;

const visible = /[\p{L}\p{N}\p{P}\p{S}]/u;
const telephone = /^\+?\d{7,15}$/;

// consumerName is what a person is called: by the name that the platform gave, if
// it gave one that can be seen; by a phone number, which people know; else by the
// end of an id that says nothing to anybody, and is too long to look at. Its
// letters and digits tell people apart; such ids often end alike, in “=”.
export function consumerName(c) {
  const { name = '', id = '' } = c.consumer;
  if (visible.test(name)) return name;
  if (['whatsapp', 'twilio'].includes(c.channel) && telephone.test(id)) return `+${id.replace('+', '')}`;
  if (id.length < 8) return id || 'Unknown';
  return `Customer …${(id.match(/[\p{L}\p{N}]/gu) ?? [...id]).slice(-4).join('')}`;
}

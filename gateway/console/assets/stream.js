// The live updates, kept alive. An EventSource gives up for good on any answer
// but 200, and does not notice a connection that has died silently; so it is
// made anew here, from the last place that was heard. It runs in a worker that
// all tabs share, or in the page where there is none.

export const heartbeatLost = 40_000; // ms; the gateway beats every 15 s
const longestWait = 30_000;
const names = ['conversation', 'message', 'gone', 'heartbeat', 'reset'];

// backoff is 1, 2, 4 … 30 s, each between half and whole, so that a thousand
// pages do not come back at once.
export function backoff(failures, random = Math.random) {
  const whole = Math.min(longestWait, 1000 * 2 ** Math.min(failures, 10));
  return whole / 2 + (random() * whole) / 2;
}

export class Stream {
  // open makes an EventSource, stranger says whether the gateway knows us, and
  // tell is given {kind: 'state', state, fresh} and {kind: 'event', name, data}.
  constructor({ open, stranger, tell, clock = globalThis }) {
    Object.assign(this, { open, stranger, tell, clock, last: '', failures: 0, state: 'new', fresh: true });
  }

  start(since = '') {
    if (this.running) return;
    this.state = 'connecting';
    this.last = since;
    this.fresh = !since;
    this.failures = 0;
    this.connect();
  }

  get running() { return this.state !== 'new' && this.state !== 'signedOut'; }

  stop(state = 'new') {
    this.drop();
    this.set(state);
  }

  // nudge is for the moment at which the network is back.
  nudge() {
    if (this.state !== 'away') return;
    this.failures = 0;
    this.connect();
  }

  set(state) {
    if (state === this.state) return;
    this.state = state;
    this.tell({ kind: 'state', state, fresh: state === 'open' && this.fresh });
    if (state === 'open') this.fresh = false;
  }

  drop() {
    this.clock.clearTimeout(this.timer);
    this.clock.clearTimeout(this.silence);
    this.source?.close();
    this.source = null;
  }

  connect() {
    this.drop();
    const source = this.open(`/v1/events${this.last ? `?since=${encodeURIComponent(this.last)}` : ''}`);
    this.source = source;
    this.listen();
    source.onopen = () => {
      this.listen();
      this.set('open');
    };
    source.onerror = () => this.failed();
    for (const name of names) source.addEventListener(name, (e) => this.heard(name, e));
  }

  listen() {
    this.clock.clearTimeout(this.silence);
    this.silence = this.clock.setTimeout(() => this.failed(), heartbeatLost);
  }

  heard(name, event) {
    this.listen();
    this.failures = 0;
    if (event.lastEventId) this.last = event.lastEventId;
    // A reset says that something was missed: whoever hears of it fetches
    // everything, and the stream goes on from there.
    this.tell({ kind: 'event', name, data: name === 'heartbeat' || name === 'reset' ? null : JSON.parse(event.data) });
  }

  async failed() {
    this.drop();
    this.set('away');
    this.timer = this.clock.setTimeout(() => this.connect(), backoff(this.failures++));
    if (await this.stranger() && this.state === 'away') this.stop('signedOut');
  }
}

// stranger asks why the stream was refused: only 401 means that waiting is vain.
export async function stranger() {
  try {
    return (await fetch('/v1/me', { cache: 'no-store' })).status === 401;
  } catch {
    return false;
  }
}

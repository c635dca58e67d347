// One stream of live updates for all tabs of a browser, which has only six
// connections to a host that speaks HTTP/1.1.

import { Stream, stranger } from './stream.js';

const ports = new Map(); // port -> whether it has to fetch again at the next opening

const stream = new Stream({ open: (url) => new EventSource(url), stranger, tell });

function tell(message) {
  for (const [port, late] of ports) {
    const fresh = message.fresh || (late && message.state === 'open');
    port.postMessage(fresh ? { ...message, fresh } : message);
    if (message.state === 'open') ports.set(port, false);
  }
}

let listener = ''; // the agent for whom the stream is

function join(port, agent, since) {
  // Somebody else has signed in on this browser: what comes is for them now, and
  // the tabs that are still another's will find that out.
  if (agent !== listener) {
    stream.stop();
    for (const other of ports.keys()) ports.set(other, true);
  }
  listener = agent;
  // The stream may have passed the place at which the page's answer was true.
  ports.set(port, stream.running);
  if (stream.running) port.postMessage({ kind: 'state', state: stream.state, fresh: stream.state === 'open' });
  if (stream.state === 'open') ports.set(port, false);
  stream.start(since);
}

function leave(port) {
  ports.delete(port);
  if (!ports.size) stream.stop();
}

self.addEventListener('connect', ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data.kind === 'join') join(port, data.agent, data.since);
    else if (data.kind === 'leave') leave(port);
    else if (data.kind === 'online') stream.nudge();
    else if (data.kind === 'signedOut') stream.stop('signedOut');
  };
});

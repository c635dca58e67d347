// The page's end of the live updates: in a worker that all tabs share where the
// browser has one, else in the page.

import { Stream, stranger } from './stream.js';

// The one place where a string becomes a script's address, and only this string.
function workerURL() {
  const url = '/assets/worker.js';
  if (!globalThis.trustedTypes) return url;
  const policy = trustedTypes.createPolicy('lightlock', {
    createScriptURL(wanted) {
      if (wanted !== url) throw new TypeError('not a script of ours');
      return wanted;
    },
  });
  return policy.createScriptURL(url);
}

function shared(tell) {
  const worker = new SharedWorker(workerURL(), { type: 'module', name: 'lightlock' });
  worker.port.onmessage = ({ data }) => tell(data);
  return {
    join: (agent, since) => worker.port.postMessage({ kind: 'join', agent, since }),
    leave: () => worker.port.postMessage({ kind: 'leave' }),
    online: () => worker.port.postMessage({ kind: 'online' }),
    signedOut: () => worker.port.postMessage({ kind: 'signedOut' }),
  };
}

function own(tell) {
  const stream = new Stream({ open: (url) => new EventSource(url), stranger, tell });
  return {
    join: (agent, since) => stream.start(since),
    leave: () => stream.stop(),
    online: () => stream.nudge(),
    signedOut: () => stream.stop('signedOut'),
  };
}

// connect gives tell what happens, and answers with how to steer it. A page that
// is put away leaves, and joins again when it is brought back.
export function connect(tell) {
  const live = globalThis.SharedWorker ? shared(tell) : own(tell);
  let joined = '';
  addEventListener('pagehide', () => joined && live.leave());
  addEventListener('pageshow', (e) => e.persisted && joined && live.join(joined, ''));
  addEventListener('online', live.online);
  return {
    join(agent, since) {
      joined = agent;
      live.join(agent, since);
    },
    signedOut: live.signedOut,
  };
}

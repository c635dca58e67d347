// The agents' API, by the session's cookie. Every call has a deadline, and an
// error says what to do next.

const deadline = 15_000; // ms

// Problem is an answer that is not a success, or none: status 0.
export class Problem extends Error {
  constructor(status, body = {}) {
    super(body.detail || body.title || 'The gateway did not answer.');
    this.status = status;
    this.agent = body.agent;
  }
  get away() { return this.status === 0 || this.status === 429 || this.status >= 500; }
}

const strangers = new Set();

// onStranger is called whenever the gateway does not know us (any more).
export const onStranger = (listen) => strangers.add(listen);

async function ask(method, path, { body, headers = {}, signal, quiet } = {}) {
  const signals = [AbortSignal.timeout(deadline), signal].filter(Boolean);
  let response;
  try {
    response = await fetch(path, {
      method, cache: 'no-store', credentials: 'same-origin', redirect: 'error', signal: AbortSignal.any(signals),
      headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (err) {
    if (signal?.aborted) throw err;
    throw new Problem(0);
  }
  if (response.ok) return response;
  if (response.status === 401 && !quiet) strangers.forEach((listen) => listen());
  throw new Problem(response.status, await response.json().catch(() => ({})));
}

async function json(method, path, options) {
  const response = await ask(method, path, options);
  return response.status === 204 ? null : response.json().catch(() => { throw new Problem(0); });
}

const of = (id) => `/v1/conversations/${encodeURIComponent(id)}`;

function query(parts) {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(parts)) if (v) q.set(k, v);
  return q.size ? `?${q}` : '';
}

export const me = (options) => json('GET', '/v1/me', options);
export const ways = () => json('GET', '/v1/session/ways', { quiet: true });
export const signIn = (token) => json('POST', '/v1/session', { body: { token }, quiet: true });
export const signOut = () => json('DELETE', '/v1/session', { quiet: true });

export const list = (parts, signal) => json('GET', `/v1/conversations${query(parts)}`, { signal });
export const conversation = (id, signal) => json('GET', of(id), { signal });
export const messages = (id, parts, signal) => json('GET', `${of(id)}/messages${query(parts)}`, { signal });

export const take = (id) => json('POST', `${of(id)}/take`, { body: {} });
export const transfer = (id, to) => json('POST', `${of(id)}/transfer`, { body: { to } });
export const close = (id) => json('POST', `${of(id)}/close`, { body: {} });
export const read = (id, arrival) => json('POST', `${of(id)}/read`, { body: { arrival } });
export const reply = (id, key, text) => json('POST', `${of(id)}/replies`, { body: { text }, headers: { 'Idempotency-Key': key } });
export const agents = (queue) => json('GET', `/v1/agents${query({ queue })}`);

// picture gives a photo's bytes. They are never in the browser's cache.
export const picture = async (href, signal) => (await ask('GET', href, { signal })).blob();

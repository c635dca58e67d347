// Signing in, on top of whatever is there. What is below stays, but for the
// pictures.

import * as api from './api.js';
import { $, attribute, put, show } from './dom.js';

// What came of a sign-in on the issuer's page, as the gateway says it in the address.
const CAME_BACK = {
  unauthenticated: 'The sign-in did not work. Try again.',
  too_many_requests: 'Too many tries. Wait a minute.',
  unavailable: 'Nobody can be signed in at the moment. Try again soon.',
};

export function mountSignIn({ store, entered }) {
  const dialog = $('#sign-in');
  const wrong = $('#sign-in-wrong');
  const token = $('#token');
  let asked = false;

  const address = new URL(location.href);
  const came = address.searchParams.get('sign_in');
  if (came) {
    put(wrong, CAME_BACK[came] || '');
    address.searchParams.delete('sign_in');
    history.replaceState(history.state, '', address);
  }

  async function ways() {
    attribute($('#by-oidc'), 'href', `/v1/session/oidc?to=${encodeURIComponent(location.pathname + location.search)}`);
    if (asked) return;
    asked = true;
    try {
      const { token: byToken, oidc } = await api.ways();
      show($('#by-token'), byToken !== false);
      show($('#by-oidc'), oidc);
      if (!oidc) return;
      put($('#by-oidc'), `Sign in with ${oidc.title}`);
    } catch {
      asked = false;
    }
  }

  $('#sign-in-form').addEventListener('submit', async (e) => {
    e.preventDefault();
    put(wrong, '');
    try {
      await api.signIn(token.value.trim());
      token.value = '';
      await entered(await api.me());
    } catch (err) {
      put(wrong, err.status === 401 ? 'This token is not known.' : err.status === 429 ? 'Too many tries. Wait a minute.' : err.message);
      token.select();
    }
  });
  // There is nothing to go back to.
  dialog.addEventListener('cancel', (e) => e.preventDefault());

  return {
    render(state) {
      const on = state.signedOut;
      show($('#sign-in-kept'), state.me);
      if (on && !dialog.open) {
        ways();
        dialog.showModal();
        token.focus();
      } else if (!on && dialog.open) dialog.close();
    },
  };
}

// byLink signs in by a token behind the address's #, as a gateway without a
// configuration prints it, and takes it away from there. Only on this machine: a
// link from elsewhere could make an agent work in another's name.
export async function byLink() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return false;
  history.replaceState(history.state, '', location.pathname + location.search);
  if (!['127.0.0.1', '[::1]', 'localhost'].includes(location.hostname)) return false;
  return api.signIn(token).then(() => true, () => false);
}

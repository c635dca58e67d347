// What an agent has written and not sent, kept in this browser for the agent:
// drafts, and replies that wait for the connection. Every reply has a place of its
// own, so that two tabs do not write over each other's. Signing out destroys it.

export function createDrafts(store) {
  const place = (what, id = '') => `lightlock:${store.get().me?.id}:${what}:${id}`;
  const read = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // a browser that keeps nothing
    }
  };
  const write = (key, value) => {
    try {
      if (value) localStorage.setItem(key, value);
      else localStorage.removeItem(key);
    } catch { /* full, or switched off: then it lasts until the page goes */ }
  };
  const all = (start) => {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(start));
    } catch {
      return [];
    }
  };
  const mine = () => [...all(place('draft')), ...all(place('reply'))];

  function parsed(key) {
    try {
      return JSON.parse(read(key));
    } catch {
      return null;
    }
  }

  return {
    get: (id) => read(place('draft', id)) ?? '',
    set: (id, text) => write(place('draft', id), text.trim() && text),
    // replies are those of all tabs, oldest first.
    replies: () => all(place('reply')).map(parsed).filter((r) => r?.key).sort((a, b) => (a.at < b.at ? -1 : 1)),
    keep: (reply) => write(place('reply', reply.key), JSON.stringify(reply)),
    drop: (key) => write(place('reply', key)),
    // elsewhere tells of a draft or a reply that another tab has changed: which one,
    // and what it is now, null if nothing.
    elsewhere(what, listen) {
      addEventListener('storage', ({ key, newValue }) => {
        if (key?.startsWith(place(what))) listen(key.slice(place(what).length), newValue);
      });
    },
    count: () => mine().length,
    destroy: () => mine().forEach((key) => write(key)),
  };
}

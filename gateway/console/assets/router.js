// Every view has an address. Pure.

const id = (part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
};

// parse reads an address; what it does not say stays as it was.
export function parse({ pathname, search }, tab = 'waiting') {
  const [, first, second, third, fourth] = pathname.split('/');
  const route = { tab, conversation: null, photo: null, q: '' };
  if (['waiting', 'mine', 'closed'].includes(first)) route.tab = first;
  if (first === 'c' && second) {
    route.conversation = id(second);
    if (third === 'photo' && fourth) route.photo = id(fourth);
  }
  if (route.tab === 'closed') route.q = new URLSearchParams(search).get('q') ?? '';
  return route;
}

export function address({ tab, conversation, photo, q }) {
  if (!conversation) return `/${tab}${tab === 'closed' && q ? `?q=${encodeURIComponent(q)}` : ''}`;
  return `/c/${encodeURIComponent(conversation)}${photo ? `/photo/${encodeURIComponent(photo)}` : ''}`;
}

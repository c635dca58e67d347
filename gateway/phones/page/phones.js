// The phones: what was said is fetched once a second while somebody looks, and
// what is typed is sent as a form. Everything is put on the page as text.

const silent = 'The demo does not answer. Is it still running?';
const trouble = document.getElementById('trouble');
const item = document.getElementById('item');
const time = new Intl.DateTimeFormat([], {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'});

// bubble is one message as it stands on a phone.
function bubble(one) {
  const row = item.content.firstElementChild.cloneNode(true);
  const [image, text, small] = row.children;
  row.dataset.at = one.at + one.from;
  row.className = one.failed ? 'said failed' : one.from ? 'said' : 'got';
  if (one.picture) {
    image.src = one.picture;
    image.hidden = false;
  }
  text.textContent = [one.photo && !one.picture && `File: ${one.photo}`, one.text].filter(Boolean).join('\n');
  const who = `${one.from || 'Business'}, ${time.format(new Date(one.at))}`;
  small.textContent = one.failed || (one.picture ? `${one.photo}\n${who}` : who);
  return row;
}

// draw shows the messages of one phone, and leaves alone what stands there.
function draw(list, items) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const news = items.filter((one) => !list.querySelector(`[data-at="${CSS.escape(one.at + one.from)}"]`));
  list.append(...news.map(bubble));
  while (list.children.length > items.length) list.firstElementChild.remove();
  if (news.length && atEnd) list.scrollTop = list.scrollHeight;
}

async function look() {
  try {
    const answer = await fetch('phones.json');
    if (!answer.ok) throw new Error();
    for (const phone of await answer.json()) {
      draw(document.querySelector(`[data-channel="${phone.channel}"] ol`), phone.items);
    }
    trouble.textContent = '';
  } catch {
    trouble.textContent = silent;
  }
}

// clear leaves a form as it was before, but for who writes.
function clear({elements}) {
  elements.text.value = '';
  elements.sample.selectedIndex = 0;
  elements.photo.value = '';
  elements.photo.hidden = true;
}

async function send(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector('button');
  const wrong = form.querySelector('[role=alert]');
  if (button.disabled) return;
  button.disabled = true;
  try {
    const answer = await fetch(form.action, {method: 'POST', body: new FormData(form)});
    wrong.textContent = answer.ok ? '' : await answer.text();
    if (answer.ok) {
      clear(form);
      form.elements.text.focus();
      const list = form.parentElement.querySelector('ol');
      list.scrollTop = list.scrollHeight; // one follows what one has said oneself
      await look();
    }
  } catch {
    wrong.textContent = silent;
  }
  button.disabled = false;
}

for (const form of document.forms) {
  form.addEventListener('submit', send);
  form.elements.text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.elements.sample.addEventListener('change', ({target}) => {
    const own = 'own' in target.selectedOptions[0].dataset;
    form.elements.photo.hidden = !own;
    if (own) form.elements.photo.click();
    else form.elements.photo.value = '';
  });
}

look();
setInterval(() => document.hidden || look(), 1000);

// Questions: are you sure, and to whom.

import * as api from './api.js';
import { $, copy, put } from './dom.js';
import { consumerName, plain } from './format.js';

function answer(dialog) {
  return new Promise((resolve) => {
    dialog.returnValue = 'no';
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
    dialog.showModal();
  });
}

function sure({ heading, text, yes }) {
  put($('#confirm-heading'), heading);
  put($('#confirm-text'), text);
  put($('#confirm-yes'), yes);
  return answer($('#confirm'));
}

function choice(value, name) {
  const label = copy('choice');
  $('input', label).value = value;
  put($('bdi', label), name);
  return label;
}

// agent asks who is to take a conversation over: an agent's id, null for nobody,
// undefined where the question was left.
async function agent(conversation) {
  const place = $('#hand-over-to');
  put($('#hand-over-heading'), `Transfer the conversation with ${plain(consumerName(conversation), 60)}`);
  const found = await api.agents(conversation.queue).catch(() => ({ agents: [] }));
  const others = (found.agents ?? found).filter((a) => a.id !== conversation.agent?.id);
  while (place.children.length > 1) place.lastElementChild.remove();
  place.append(...others.map((a) => choice(`agent:${a.id}`, a.name || a.id)), choice('nobody', 'Nobody: back among the waiting'));
  if (!await answer($('#hand-over'))) return undefined;
  const { value } = $('input:checked', place);
  return value === 'nobody' ? null : value.slice('agent:'.length);
}

export const ask = { sure, agent };

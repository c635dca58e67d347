// What an agent may set, in this browser. The colours are a cookie, because the
// page has to know them before it is painted.

import { $ } from './dom.js';

const stored = (name, otherwise) => {
  try {
    return localStorage.getItem(`lightlock:setting:${name}`) ?? otherwise;
  } catch {
    return otherwise;
  }
};

const year = 365 * 24 * 60 * 60; // s

export function mountSettings({ signOut, showKeys }) {
  const dialog = $('#settings');
  const form = $('form', dialog);
  const values = { enter: stored('enter', 'yes') === 'yes', letters: stored('letters', 'yes') === 'yes' };
  const coarse = matchMedia('(pointer: coarse)');

  function keep(name, on) {
    values[name] = on;
    try {
      localStorage.setItem(`lightlock:setting:${name}`, on ? 'yes' : 'no');
    } catch { /* then it holds until the page goes */ }
  }

  function theme(wanted) {
    const system = wanted === 'system';
    document.cookie = `lightlock_theme=${system ? '' : wanted}; Path=/; SameSite=Strict; Max-Age=${system ? 0 : year}`;
    if (system) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = wanted;
  }

  form.addEventListener('change', ({ target }) => {
    if (target.name === 'theme') theme(target.value);
    else keep(target.name, target.checked);
  });
  $('#open-settings').addEventListener('click', () => {
    form.elements.theme.value = document.documentElement.dataset.theme ?? 'system';
    form.elements.enter.checked = values.enter;
    form.elements.letters.checked = values.letters;
    dialog.showModal();
  });
  $('#show-keys').addEventListener('click', () => {
    dialog.close();
    showKeys();
  });
  $('#sign-out').addEventListener('click', () => {
    dialog.close();
    signOut();
  });

  return {
    // A phone's Enter breaks the line: there is no Shift beside it.
    enterSends: () => values.enter && !coarse.matches,
    letters: () => values.letters,
    hintAtLetters: () => values.letters && !coarse.matches,
  };
}

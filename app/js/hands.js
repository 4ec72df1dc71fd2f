// What hands do that the browser does almost by itself, and that the client's WASM would need many bindings for: a chart fills the screen,
// its link is copied, it is printed; charts and lines of sets are dragged; names are offered and formulas checked as they are typed.
// Every page does all of it without this file too, by links and forms.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const on = (name, selector, act) =>
  document.addEventListener(name, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(found, event);
  });
const make = (tag, className = '', text = '') => Object.assign(document.createElement(tag), { className, textContent: text });

let said;
/** Says what was done, for a while, where the client says such things. */
function say(text) {
  const [place, toast] = ['#say', '#toast'].map((id) => document.querySelector(id));
  if (!toast) return;
  place.textContent = text;
  toast.className = 'toast shown';
  clearTimeout(said);
  said = setTimeout(() => {
    if (place.textContent !== text) return;
    place.textContent = '';
    toast.className = 'toast';
  }, 6000);
}

// --- one chart: the whole screen, its link, on paper

on('click', '[data-fill]', (button) => {
  if (document.fullscreenElement) document.exitFullscreen();
  else button.closest('article, section').requestFullscreen().catch(() => say('This browser does not fill the screen.'));
});

on('click', '[data-copy]', async (link, event) => {
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(link.href);
  } catch {
    // Without HTTPS browsers have no clipboard but this.
    const area = document.body.appendChild(make('textarea', 'vh', link.href));
    area.select();
    document.execCommand('copy');
    area.remove();
    link.focus();
  }
  say('The link is copied.');
});

on('click', '[data-print]', (button) => {
  const card = button.closest('article, section');
  document.documentElement.dataset.prints = '';
  card.dataset.printed = '';
  window.addEventListener('afterprint', () => {
    delete document.documentElement.dataset.prints;
    delete card.dataset.printed;
  }, { once: true });
  window.print();
});

// --- a chart's heading, or a line of a legend, into another chart

const KIND = 'application/x-tickmark';
const field = (card) => card?.querySelector('.add input[name=add]');
const target = (event) => {
  const card = event.dataTransfer.types.includes(KIND) && event.target.closest?.('article.card');
  return card && field(card) && !card.querySelector('[data-dragged]') && !card.matches('[data-dragged]') ? card : null;
};

on('dragstart', '[data-word]', (one, event) => {
  event.dataTransfer.setData(KIND, one.dataset.word);
  event.dataTransfer.setData('text/plain', one.dataset.word);
  event.dataTransfer.effectAllowed = 'copy';
  one.closest('article').dataset.dragged = '';
});
document.addEventListener('dragend', () => all('[data-dragged], [data-over]').forEach((one) => {
  delete one.dataset.dragged;
  delete one.dataset.over;
}));
for (const name of ['dragenter', 'dragover']) {
  document.addEventListener(name, (event) => {
    const card = target(event);
    if (!card) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    if (card.dataset.over !== '') {
      all('[data-over]').forEach((one) => delete one.dataset.over);
      card.dataset.over = '';
    }
  });
}
document.addEventListener('drop', (event) => {
  const card = target(event);
  if (!card) return;
  event.preventDefault();
  const input = field(card);
  input.value = event.dataTransfer.getData(KIND);
  input.form.submit();
});

// --- names, as they are typed

const SHOWN = 12;
for (const input of all('input[list=recorded-names]')) {
  const names = all('option', input.list).map((option) => option.value);
  const list = Object.assign(make('ul', 'offers'), { hidden: true, id: `offers-${names.length}-${all('.offers').length}` });
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', 'Statistics');
  input.removeAttribute('list');
  for (const [name, value] of [['role', 'combobox'], ['aria-expanded', 'false'], ['aria-autocomplete', 'list'], ['aria-controls', list.id]]) input.setAttribute(name, value);
  input.after(list);
  let at = -1;
  const choose = (next) => {
    at = next;
    [...list.children].forEach((one, place) => one.setAttribute('aria-selected', place === at));
    list.children[at]?.scrollIntoView({ block: 'nearest' });
    if (at < 0) input.removeAttribute('aria-activedescendant');
    else input.setAttribute('aria-activedescendant', list.children[at].id);
  };
  const show = (found) => {
    list.replaceChildren(...found.map((name, place) => {
      const one = Object.assign(make('li', '', name), { id: `${list.id}-${place}` });
      one.setAttribute('role', 'option');
      return one;
    }));
    list.hidden = !found.length;
    input.setAttribute('aria-expanded', !list.hidden);
    choose(-1);
  };
  input.addEventListener('input', () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    show(words.length ? names.filter((name) => words.every((word) => name.toLowerCase().includes(word))).slice(0, SHOWN) : []);
  });
  const take = (name) => {
    input.value = name;
    show([]);
  };
  input.addEventListener('keydown', (event) => {
    const count = list.children.length;
    if (list.hidden) return;
    if (event.key === 'ArrowDown') choose((at + 1) % count);
    else if (event.key === 'ArrowUp') choose(at > 0 ? at - 1 : count - 1);
    else if (event.key === 'Enter' && at >= 0) take(list.children[at].textContent);
    else if (event.key === 'Escape') show([]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // Before the field is left, so that the list is still there.
  list.addEventListener('mousedown', (event) => {
    event.preventDefault();
    const one = event.target.closest('li');
    if (one) {
      take(one.textContent);
      input.form.requestSubmit();
    }
  });
  input.addEventListener('blur', () => show([]));
}

// --- a formula, as it is typed

const REST_MS = 350;
for (const place of all('[data-checks]')) {
  const form = place.closest('form');
  const text = form.elements.formula;
  const of = (name) => form.elements[name]?.value || null;
  let turn = 0;
  let rest;
  const show = (...parts) => place.replaceChildren(...parts);
  const check = async () => {
    const mine = ++turn;
    const formula = text.value;
    if (!formula.trim()) return show();
    let answer;
    try {
      const response = await fetch('/cp/api/v1/derived/check', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ formula, box: of('box'), unit: of('unit') }),
      });
      if (!response.ok) return;
      answer = await response.json();
    } catch {
      // That the panel does not answer is said above the page.
      return;
    }
    // Something was typed meanwhile.
    if (mine !== turn) return;
    // What the page itself said was of what stood there before.
    all('.pointed, .problem', text.parentElement).forEach((one) => place.contains(one) || one.remove());
    const { error, says } = answer;
    text.setAttribute('aria-invalid', Boolean(error));
    if (!error) return show(make('p', 'hint', says));
    const line = [...formula].map((letter) => (/\p{Cc}/u.test(letter) ? ' ' : letter)).join('');
    const pointed = make('pre', 'pointed', `${line}\n${' '.repeat(error.at)}^`);
    pointed.setAttribute('aria-hidden', true);
    show(pointed, make('p', 'problem', says));
  };
  form.addEventListener('input', (event) => {
    if (![text, form.elements.box, form.elements.unit].includes(event.target)) return;
    turn += 1;
    clearTimeout(rest);
    rest = setTimeout(check, REST_MS);
  });
  if (text.value && !text.parentElement.querySelector('.problem')) check();
}

// --- order: sets among each other, and the charts of one

/** Lets the children of a list be dragged; tells which went where. */
function order(list, moved) {
  let dragged;
  list.addEventListener('dragstart', (event) => {
    dragged = event.target.closest?.('[draggable]');
    event.dataTransfer.effectAllowed = 'move';
    event.dataTransfer.setData('text/plain', '');
  });
  list.addEventListener('dragover', (event) => {
    const over = [...list.children].find((one) => one.contains(event.target));
    if (!dragged || !over) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    if (over !== dragged) over[event.clientY < top + height / 2 ? 'before' : 'after'](dragged);
  });
  list.addEventListener('drop', (event) => event.preventDefault());
  list.addEventListener('dragend', () => {
    if (dragged) moved(dragged);
    dragged = null;
  });
}

for (const rows of all('[data-orders] tbody')) {
  const before = [...rows.children];
  before.forEach((row) => (row.draggable = true));
  order(rows, (row) => {
    const by = before.indexOf(row) - [...rows.children].indexOf(row);
    if (!by) return;
    const form = row.querySelector('form');
    for (const [name, value] of [['do', 'move'], ['by', by]]) form.append(Object.assign(make('input'), { type: 'hidden', name, value }));
    form.submit();
  });
}

for (const text of all('textarea[data-lines]')) {
  const list = make('ol', 'lines');
  list.setAttribute('aria-label', 'Order of the charts: drag, or Alt and an arrow in the text');
  text.after(list);
  const lines = () => text.value.split('\n').filter((line) => line.trim());
  const draw = () => list.replaceChildren(...(lines().length > 1 ? lines() : []).map((line) => Object.assign(make('li', '', line), { draggable: true })));
  order(list, () => (text.value = [...list.children].map((one) => one.textContent).join('\n')));
  text.addEventListener('input', draw);
  // By keyboard: the line with the cursor goes up or down.
  text.addEventListener('keydown', (event) => {
    const by = event.altKey && { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const rows = text.value.split('\n');
    const head = text.value.slice(0, text.selectionStart);
    const at = head.split('\n').length - 1;
    const to = at + by;
    if (to < 0 || to >= rows.length) return;
    const column = head.length - head.lastIndexOf('\n') - 1;
    [rows[at], rows[to]] = [rows[to], rows[at]];
    text.value = rows.join('\n');
    const start = rows.slice(0, to).reduce((sum, row) => sum + row.length + 1, 0) + column;
    text.setSelectionRange(start, start);
    draw();
  });
  draw();
}

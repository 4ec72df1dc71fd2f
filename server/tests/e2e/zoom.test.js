// Looking closer at charts: by dragging, wheel, fingers and keys, and by dates; one span and one cross-hair for all charts of the page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAccessible, expectQuiet, newPage } from './browser.js';
import { startHistory } from './stage.js';

const HOUR_MS = 3_600_000;
/** A day of samples, one in ten seconds, that ends now. */
const END_S = Math.floor(Date.now() / 10_000) * 10;
const COUNT = 8640;
/** What stands where no sample is. */
const NOTHING = /not recorded/;
const series = (name, kind, value) => {
  const line = (i) => `${name} ${value(i)} ${END_S - (COUNT - i) * 10}`;
  // Half an hour is missing, twelve hours ago.
  const known = Array.from({ length: COUNT }, (_, i) => i).filter((i) => i < 4320 || i >= 4500);
  return [`# TYPE ${name} ${kind}`, ...known.map(line)].join('\n');
};
const HISTORY = `${series('core:rcv_requests', 'counter', (i) => i * 100)}
${series('dialog:active_dialogs', 'gauge', (i) => i)}
# EOF
`;

let browser;
let panel;
let session;
let stop;
before(async () => {
  ({ browser, panel, session, stop } = await startHistory(HISTORY, ['core', 'dialog']));
});
after(() => stop?.());

const open = async (path = '/cp/charts?box=sip1', options = {}) => {
  const page = await newPage(browser, panel, { storageState: session, ...options });
  await page.goto(path);
  if (options.javaScriptEnabled !== false) await drawn(page);
  return page;
};
const card = (page, name) => page.locator(`figure[data-name="${name}"]`);
const drawn = (page) => Promise.all(['core:rcv_requests', 'dialog:active_dialogs'].map((name) => card(page, name).locator('svg').waitFor()));
const range = (page) => {
  const query = new URL(page.url()).searchParams;
  return query.has('from') ? [Number(query.get('from')), Number(query.get('to'))] : null;
};
const width = (page) => range(page)[1] - range(page)[0];
/** Drags in a chart from one share of its width to another. */
const drag = async (page, from, to, name = 'core:rcv_requests') => {
  const place = await card(page, name).locator('.plot').boundingBox();
  const at = (share) => [place.x + 60 + (place.width - 70) * share, place.y + place.height / 2];
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at((from + to) / 2), { steps: 3 });
  await page.mouse.move(...at(to), { steps: 3 });
  await page.mouse.up();
};
/** What a chart says of itself: from when to when, and its numbers. */
const summary = (page, name) => card(page, name).locator('svg').first().evaluate((svg) => svg.getAttribute('aria-label') ?? svg.textContent);

test('a drag looks closer in all charts, and "back" goes back', async () => {
  const page = await open();
  const whole = await Promise.all(['core:rcv_requests', 'dialog:active_dialogs'].map((name) => summary(page, name)));
  const loaded = page.waitForResponse((answer) => answer.url().includes('/series?') && answer.url().includes('from='));
  await drag(page, 0.75, 0.9);
  await page.waitForURL((url) => url.searchParams.has('from'));
  await loaded;
  const [from, to] = range(page);
  assert.ok(to - from > 2.5 * HOUR_MS && to - from < 5 * HOUR_MS, `${to - from} ms`);
  assert.ok(from > Date.now() - 8 * HOUR_MS && to < Date.now());
  await page.locator('[data-looked-at]:visible').getByText(/to .* · [34] h/).waitFor();
  for (const name of ['core:rcv_requests', 'dialog:active_dialogs']) {
    await card(page, name).locator('.facts').getByText(/^last/).waitFor();
    assert.ok(!whole.includes(await summary(page, name)), 'each chart shows the new span');
  }
  // What leads elsewhere from here leads to the same span.
  const csv = await card(page, 'core:rcv_requests').locator('xpath=ancestor::article').getByRole('link', { name: /^CSV/ }).getAttribute('href');
  assert.match(csv, new RegExp(`from=${from}&to=${to}`));

  // Closer still, and back twice.
  await drag(page, 0.2, 0.6, 'dialog:active_dialogs');
  await page.waitForURL((url) => url.searchParams.has('from') && Number(url.searchParams.get('from')) !== from);
  assert.ok(width(page) < (to - from) / 2 + 1000);
  await page.goBack();
  assert.deepEqual(range(page), [from, to]);
  await page.goBack();
  assert.equal(range(page), null);
  await page.locator('[data-looked-at]').waitFor({ state: 'hidden' });
  await card(page, 'core:rcv_requests').locator('.facts').getByText(/^now/).waitFor();

  // A copied address shows the same, also where there is no JavaScript.
  const address = `/cp/charts?box=sip1&from=${from}&to=${to}`;
  const other = await open(address);
  assert.deepEqual(range(other), [from, to]);
  await card(other, 'core:rcv_requests').locator('.facts').getByText(/^last/).waitFor();
  const plain = await open(address, { javaScriptEnabled: false });
  assert.match(await plain.locator('figure img').first().getAttribute('src'), new RegExp(`from=${from}&to=${to}`));
  await plain.getByRole('link', { name: 'Live' }).click();
  assert.equal(range(plain), null);
  for (const one of [page, other]) expectQuiet(one);
});

test('what happened is told of the span that is looked at, and after "back" of the one before', async () => {
  const page = await newPage(browser, panel, { storageState: session });
  await page.goto('/cp/boxes/sip1/core:rcv_requests');
  await card(page, 'core:rcv_requests').locator('svg').waitFor();
  const happened = page.locator('#happened');
  // The box has not answered since the panel began.
  const gap = happened.locator('li').filter({ hasText: /^.*No values for/ });
  await gap.waitFor();
  assert.equal(await happened.locator('li').count(), 1);
  await happened.locator('.count').getByText(/^24h/).waitFor();

  // Where nothing happened it says so.
  await drag(page, 0.6, 0.8);
  await page.waitForURL((url) => url.searchParams.has('from'));
  await happened.getByText('Nothing: no gap').waitFor();
  assert.equal(await happened.locator('li').count(), 0);
  await happened.locator('.count').getByText(/^[45] h/).waitFor();
  await page.goBack();
  await gap.waitFor();
  await happened.locator('.count').getByText(/^24h/).waitFor();

  // A double click goes back as well.
  await drag(page, 0.4, 0.5);
  await page.waitForURL((url) => url.searchParams.has('from'));
  await happened.getByText('Nothing: no gap').waitFor();
  const place = await card(page, 'core:rcv_requests').locator('.plot').boundingBox();
  await page.mouse.dblclick(place.x + place.width / 2, place.y + place.height / 2);
  await gap.waitFor();
  await happened.locator('.count').getByText(/^24h/).waitFor();
  expectQuiet(page);
});

test('shift, wheel and keys move and widen; a double click goes back', async () => {
  const page = await open();
  await drag(page, 0.4, 0.6);
  await page.waitForURL((url) => url.searchParams.has('from'));
  const first = range(page);
  await page.keyboard.down('Shift');
  await drag(page, 0.3, 0.8);
  await page.keyboard.up('Shift');
  await page.waitForURL((url) => Number(url.searchParams.get('from')) < first[0]);
  assert.ok(Math.abs(width(page) - (first[1] - first[0])) < 1000, 'what is moved keeps its width');

  const moved = range(page);
  const place = await card(page, 'core:rcv_requests').locator('.plot').boundingBox();
  await page.mouse.move(place.x + place.width / 2, place.y + 60);
  await page.mouse.wheel(200, 0);
  await page.waitForURL((url) => Number(url.searchParams.get('from')) > moved[0]);

  const plot = card(page, 'dialog:active_dialogs').locator('.plot');
  await plot.focus();
  let before = width(page);
  await page.keyboard.press('+');
  await page.waitForURL((url) => url.searchParams.get('to') - url.searchParams.get('from') < before * 0.6);
  before = range(page);
  await page.keyboard.press('PageUp');
  await page.waitForURL((url) => Number(url.searchParams.get('from')) < before[0]);
  before = width(page);
  await page.keyboard.press('-');
  await page.waitForURL((url) => url.searchParams.get('to') - url.searchParams.get('from') > before * 1.5);
  const here = range(page);
  await plot.dblclick();
  await page.waitForURL((url) => Number(url.searchParams.get('from')) !== here[0]);
  await page.getByRole('link', { name: 'Live' }).click();
  await page.waitForURL((url) => !url.searchParams.has('from'));
  expectQuiet(page);
});

test('one cross-hair for all charts, two instants to compare', async () => {
  const page = await open();
  const place = await card(page, 'dialog:active_dialogs').locator('.plot').boundingBox();
  const readout = (name) => card(page, name).locator('.hair .readout');
  const at = (share) => [place.x + 60 + (place.width - 70) * share, place.y + 80];
  await page.mouse.move(...at(0.25));
  await readout('core:rcv_requests').waitFor();
  assert.match(await readout('dialog:active_dialogs').innerText(), /\d\d:\d\d:\d\d\s+\d/);
  assert.match(await readout('core:rcv_requests').innerText(), /^10\b/, 'the other chart has its value, and no time');
  // The hole says why nothing is there.
  await page.mouse.move(...at(0.497));
  await readout('dialog:active_dialogs').getByText(NOTHING).waitFor();

  await page.mouse.click(...at(0.25));
  await page.locator('.pin').first().waitFor();
  assert.equal(await page.locator('.pin').count(), 2, 'in each chart');
  await page.mouse.move(...at(0.75));
  const compared = readout('dialog:active_dialogs').filter({ hasText: 'Δ' });
  await compared.waitFor();
  const [, difference, percent] = (await compared.innerText()).replaceAll('\u2009', '').match(/Δ \+([\d\s,]+), .*?, \+([\d\s,.]+)\s?% in 1[12] h/);
  const number = (text) => Number(text.replace(/[^\d.]/g, ''));
  assert.ok(Math.abs(number(difference) - COUNT / 2) < 250, difference);
  assert.ok(number(percent) > 150 && number(percent) < 230, percent);
  // A second one holds it, the third click lets go.
  await page.mouse.click(...at(0.75));
  const held = await compared.innerText();
  await page.mouse.move(...at(0.9));
  assert.equal(await compared.innerText(), held);
  await page.mouse.click(...at(0.9));
  await page.locator('.pin').first().waitFor({ state: 'detached' });
  // Nobody is at a chart any more.
  await page.mouse.move(5, 5);
  await page.locator('.hair').first().waitFor({ state: 'detached' });
  expectQuiet(page);
});

test('what was some time before lies faintly behind', async () => {
  const page = await open();
  await page.getByText('compare', { exact: true }).click();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'an hour before' }).click();
  await drawn(page);
  await page.getByText('with an hour before').waitFor();
  const compared = card(page, 'dialog:active_dialogs').locator('svg[aria-label*="an hour before: min"]');
  await compared.waitFor();
  const place = await card(page, 'dialog:active_dialogs').locator('.plot').boundingBox();
  await page.mouse.move(place.x + 60 + (place.width - 70) * 0.8, place.y + 80);
  const readout = card(page, 'dialog:active_dialogs').locator('.hair .readout').filter({ hasText: 'an hour before' });
  const [now, before] = (await readout.innerText()).split('\n').map((line) => Number(line.replace(/\(.*/, '').replace(/^.*(:\d\d|before)/, '').replace(/\D/g, '')));
  assert.ok(Math.abs(now - before - 360) < 40, `${now} ${before}`);
  assert.match(await page.getByRole('link', { name: /^PNG of dialog:active/ }).getAttribute('href'), /compare=1h/);
  const plain = await open('/cp/charts?box=sip1&compare=24h', { javaScriptEnabled: false });
  assert.match(await plain.locator('figure img').first().getAttribute('src'), /compare=24h/);
  expectQuiet(page);
});

test('any span by its two ends, in local time, and without JavaScript in UTC', async () => {
  const page = await open();
  const local = (hoursAgo) => new Date(Date.now() + HOUR_MS - hoursAgo * HOUR_MS).toISOString().slice(0, 16);
  await page.getByText('custom').click();
  await page.getByText('Times in Europe/Berlin', { exact: true }).waitFor();
  assert.match(await page.getByLabel('From', { exact: true }).inputValue(), /^\d{4}-\d\d-\d\dT/);
  await expectAccessible(page);
  await page.getByLabel('From', { exact: true }).fill(local(5));
  await page.getByLabel('To', { exact: true }).fill(local(3));
  await page.getByRole('button', { name: 'Show' }).click();
  await page.waitForURL((url) => url.searchParams.has('from'));
  assert.equal(width(page), 2 * HOUR_MS);
  assert.ok(Math.abs(range(page)[1] - (Date.now() - 3 * HOUR_MS)) <= 2 * HOUR_MS);
  await expectAccessible(page);

  const plain = await open('/cp/charts?box=sip1', { javaScriptEnabled: false });
  await plain.getByText('custom').click();
  await plain.getByLabel('From', { exact: true }).fill('2026-11-20T08:00');
  await plain.getByLabel('To', { exact: true }).fill('2026-11-20T10:00');
  await plain.getByRole('button', { name: 'Show' }).click();
  await plain.getByText('20 Nov 08:00 to 10:00 · 2 h UTC').waitFor();
  await plain.goto('/cp/charts?box=sip1&from=2026-11-20T10:00:00&to=2026-11-20T08:00:00');
  await plain.getByText(/to is not after from/i).waitFor();
  expectQuiet(page);
});

test('a finger points, moves and pinches', async () => {
  const page = await open('/cp/charts?box=sip1', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const plot = card(page, 'core:rcv_requests').locator('.plot');
  const place = await plot.boundingBox();
  const y = place.y + 60;
  await page.touchscreen.tap(place.x + 200, y);
  await card(page, 'core:rcv_requests').locator('.hair .readout').waitFor();
  assert.equal(await page.locator('.pin').count(), 0, 'a first tap points');

  const touch = await page.context().newCDPSession(page);
  const send = (type, ...xs) => touch.send('Input.dispatchTouchEvent', { type, touchPoints: xs.map((x, id) => ({ x: place.x + x, y, id })) });
  await send('touchStart', 150, 200);
  for (const by of [10, 20, 30, 40]) await send('touchMove', 150 - by, 200 + by);
  await send('touchEnd');
  await page.waitForURL((url) => url.searchParams.has('from'));
  const [from, to] = range(page);
  assert.ok(to - from < 14 * HOUR_MS, `narrower: ${to - from}`);
  await send('touchStart', 100);
  for (const x of [140, 180, 220]) await send('touchMove', x);
  await send('touchEnd');
  await page.waitForURL((url) => Number(url.searchParams.get('from')) < from);
  expectQuiet(page);
});

// What hands do to charts, sets and formulas with JavaScript: the whole screen, the link, paper, dragging, names and formulas as they are typed;
// and each of these without it, or by keyboard.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAccessible, expectQuiet, launch, newPage, setUp } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

/** An hour of samples, one in ten seconds, that ends now. */
const END_S = Math.floor(Date.now() / 10_000) * 10;
const series = (name, kind, value) =>
  [`# TYPE ${name} ${kind}`, ...Array.from({ length: 360 }, (_, i) => `${name} ${value(i)} ${END_S - (360 - i) * 10}`)].join('\n');
const HISTORY = `${series('core:rcv_requests', 'counter', (i) => i * 600)}
${series('dialog:active_dialogs', 'gauge', (i) => 1200 + i)}
# EOF
`;
const CALLS = 'sip1/dialog:active_dialogs sip2/dialog:active_dialogs';

let browser;
let panel;
let box;
let session;
before(async () => {
  box = await startFakeBox({ 'core:rcv_requests': 500, 'shmem:used_size': 250, 'shmem:total_size': 1000 }, () => true);
  const one = (name, address) => `[[box]]\nname = "${name}"\nkind = "opensips"\naddress = "${address}"\nticks = ["core:", "dialog:"]\n`;
  const config = one('sip1', 'http://127.0.0.1:1/mi') + one('sip2', 'http://127.0.0.1:1/mi') + one('live', box.address);
  [browser, panel] = await Promise.all([launch(), startPanel({ config, history: { sip1: HISTORY, sip2: HISTORY } })]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  await page.goto('/cp?box=live');
  await page.locator('tr[data-name]').first().waitFor();
  session = await page.context().storageState();
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop()]));

const open = async (path, options = {}) => {
  const page = await newPage(browser, panel, { storageState: session, permissions: ['clipboard-read', 'clipboard-write'], ...options });
  await page.goto(path);
  return page;
};
const close = async (page) => {
  expectQuiet(page);
  await page.context().close();
};
const charts = (page) => new URL(page.url()).searchParams.getAll('chart');
const card = (page, name) => page.locator('article.card').filter({ has: page.locator(`figure[data-name="${name}"]`) });
const drawn = (page, name) => card(page, name).locator('.plot svg').waitFor();
/** Drags as a browser does, also where the pages around say nothing of it. */
const drag = (from, to) => from.dragTo(to);

test('a chart fills the screen, and is drawn anew for it', async () => {
  const page = await open('/cp/charts?box=sip1&span=1h', { viewport: { width: 1280, height: 900 } });
  await drawn(page, 'core:rcv_requests');
  const size = () => card(page, 'core:rcv_requests').locator('.plot svg').evaluate((svg) => svg.viewBox.baseVal.width / svg.viewBox.baseVal.height);
  const before = await size();
  await card(page, 'core:rcv_requests').getByRole('button', { name: /^Full screen/ }).click();
  await page.waitForFunction(() => document.fullscreenElement?.matches('article.card'));
  await page.waitForFunction(() => {
    const svg = document.fullscreenElement.querySelector('.plot svg');
    const [plot, drawn] = [svg.parentElement.getBoundingClientRect(), svg.viewBox.baseVal];
    return Math.abs(plot.width / plot.height - drawn.width / drawn.height) < 0.05 && plot.height > 400;
  });
  await page.evaluate(() => document.exitFullscreen());
  await page.waitForFunction(() => !document.fullscreenElement);
  await page.waitForFunction((before) => {
    const drawn = document.querySelector('figure[data-name="core:rcv_requests"] .plot svg').viewBox.baseVal;
    return Math.abs(drawn.width / drawn.height - before) < 0.05;
  }, before);
  await close(page);
});

test('its link is copied, with the span that is looked at', async () => {
  const page = await open(`/cp/charts?chart=${encodeURIComponent(CALLS)}&from=${END_S * 1000 - 1_200_000}&to=${END_S * 1000}`);
  await drawn(page, '2 statistics');
  await page.getByRole('link', { name: /^Link: / }).click();
  await page.getByText('The link is copied.').waitFor();
  const copied = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  assert.deepEqual(copied.searchParams.getAll('chart'), [CALLS]);
  assert.equal(copied.searchParams.get('to'), String(END_S * 1000));
  assert.deepEqual(charts(page), [CALLS], 'the page stays');
  // The same points as a file.
  const csv = await page.request.get(await page.getByRole('link', { name: /^CSV/ }).getAttribute('href'));
  assert.match(await csv.text(), /^time,sip1\/dialog:active_dialogs,sip2\/dialog:active_dialogs\n/);
  await expectAccessible(page);
  await close(page);
  // Without JavaScript it leads there.
  const plain = await open('/cp/charts?box=sip1&match=dialog:', { javaScriptEnabled: false });
  await plain.getByRole('link', { name: /^Link: / }).click();
  assert.equal(new URL(plain.url()).searchParams.get('match'), 'dialog:active_dialogs');
  assert.ok(await plain.getByRole('button', { name: /^Full screen/ }).isHidden(), 'a button that does nothing is not there');
  await plain.context().close();
});

test('one chart is printed, alone', async () => {
  const page = await open('/cp/charts?box=sip1&span=1h');
  await drawn(page, 'dialog:active_dialogs');
  await page.evaluate(() => {
    globalThis.print = () => (globalThis.asked = true);
  });
  await page.emulateMedia({ media: 'print' });
  await page.locator('figure[data-name="dialog:active_dialogs"]').evaluate((figure) => figure.closest('article').querySelector('[data-print]').click());
  assert.ok(await page.evaluate(() => globalThis.asked));
  assert.ok(await card(page, 'dialog:active_dialogs').isVisible());
  assert.ok(await card(page, 'core:rcv_requests').isHidden());
  await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
  assert.ok(await card(page, 'core:rcv_requests').isVisible());
  await close(page);
});

test('a heading, and a line of a legend, is dragged into another chart', async () => {
  const page = await open('/cp/charts?match=active_dialogs&span=1h');
  const of = (name) => page.locator('article.card').filter({ has: page.locator(`figure[data-box="${name}"]`) });
  await drag(of('sip2').locator('h2'), of('sip1').locator('figure'));
  await page.waitForURL((url) => url.searchParams.has('chart'));
  assert.deepEqual(charts(page), [CALLS]);
  await close(page);

  const two = await open(`/cp/charts?${['sip1/core:rcv_requests', CALLS].map((chart) => `chart=${encodeURIComponent(chart)}`).join('&')}`);
  const line = two.locator('.legend tbody tr').nth(1);
  await line.waitFor();
  await drag(line, two.locator('article.card').first().locator('figure'));
  await two.waitForURL((url) => url.searchParams.getAll('chart')[0].includes('sip2'));
  assert.deepEqual(charts(two), ['sip1/core:rcv_requests sip2/dialog:active_dialogs', CALLS]);
  await close(two);
});

test('names are offered as they are typed, and taken by keyboard', async () => {
  for (const width of [360, 1280]) {
    const page = await open('/cp/charts?box=sip1&match=dialog:', { viewport: { width, height: 800 } });
    await page.locator('details.add > summary').click();
    const field = page.getByRole('combobox', { name: 'Statistic to add to this chart' });
    await field.pressSequentially('RCV req');
    const offered = page.getByRole('listbox').getByRole('option');
    await offered.first().waitFor();
    assert.deepEqual(await offered.allInnerTexts(), ['sip1/core:rcv_requests']);
    await page.keyboard.press('ArrowDown');
    assert.equal(await offered.first().getAttribute('aria-selected'), 'true');
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    assert.equal(await page.getByRole('listbox').count(), 0);
    await field.press('Backspace');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    assert.equal(await field.inputValue(), 'sip1/core:rcv_requests');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.searchParams.has('chart'));
    assert.deepEqual(charts(page), ['sip1/dialog:active_dialogs sip1/core:rcv_requests']);
    await close(page);
  }
});

test('a formula is checked as it is typed', async () => {
  const page = await open('/cp/derived?box=live');
  await page.getByRole('textbox', { name: 'Formula' }).fill('100 * {shmem:used_size} / {shmem:total_siz}');
  await page.getByText('There is no statistic {shmem:total_siz}').waitFor();
  assert.match(await page.locator('.pointed').innerText(), /\n {26}\^$/);
  assert.equal(await page.getByRole('textbox', { name: 'Formula' }).getAttribute('aria-invalid'), 'true');
  await page.getByRole('textbox', { name: 'Formula' }).fill('100 * {shmem:used_size} / {shmem:total_size}');
  await page.getByText('It comes to 25 on live now.').waitFor();
  assert.equal(await page.locator('.pointed').count(), 0);
  await page.getByLabel('Unit').fill('percent');
  await page.getByText('It comes to 25 % on live now.').waitFor();
  await expectAccessible(page);
  // What the page itself said of what was sent goes with the next letter.
  await page.getByRole('textbox', { name: 'Formula' }).fill('1 +');
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  await page.getByText('ends here').waitFor();
  await page.getByRole('textbox', { name: 'Formula' }).fill('1 + 2');
  await page.getByText('It comes to 3').waitFor();
  assert.equal(await page.locator('.problem').count(), 0);
  await close(page);
});

test('sets and the charts of one are ordered by dragging and by keyboard', async () => {
  const page = await open('/cp/sets?box=live');
  const make = (name) => page.request.post('/cp/api/v1/sets', { headers: { origin: panel.origin }, data: { name, charts: ['core:', 'dialog:', 'tm:'] } });
  for (const name of ['One', 'Two', 'Three']) assert.equal((await make(name)).status(), 201);
  await page.reload();
  const names = () => page.locator('[data-orders] tbody th a').allInnerTexts();
  assert.deepEqual(await names(), ['One', 'Two', 'Three']);
  const rows = page.locator('[data-orders] tbody tr');
  const moved = page.waitForResponse((answer) => answer.request().method() === 'POST');
  await drag(rows.nth(2), rows.nth(0).locator('th'));
  await moved;
  await page.waitForFunction(() => document.querySelector('[data-orders] tbody th a')?.textContent === 'Three');
  assert.deepEqual(await names(), ['Three', 'One', 'Two']);
  await page.getByRole('button', { name: 'Further down: Three' }).click();
  await page.waitForFunction(() => document.querySelector('[data-orders] tbody th a')?.textContent === 'One');

  await page.getByRole('link', { name: 'Edit One' }).click();
  const text = page.getByLabel('Charts, one a line');
  const lines = page.locator('ol.lines li');
  assert.deepEqual(await lines.allInnerTexts(), ['core:', 'dialog:', 'tm:']);
  await drag(lines.nth(2), lines.nth(0));
  assert.equal((await text.inputValue()).split('\n')[0], 'tm:');
  await text.focus();
  await text.evaluate((area) => area.setSelectionRange(0, 0));
  await page.keyboard.press('Alt+ArrowDown');
  assert.equal(await text.inputValue(), 'core:\ntm:\ndialog:');
  await page.keyboard.press('Alt+ArrowUp');
  assert.equal(await text.inputValue(), 'tm:\ncore:\ndialog:');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByText('One is kept').waitFor();
  await close(page);
});

test('numbers are written as one chose, first by the panel and then by the browser', async () => {
  const page = await open('/cp/settings');
  const mine = page.locator('#taste');
  await mine.getByLabel('Numbers').selectOption({ label: '12.345 and 0,5' });
  await mine.getByRole('button', { name: 'Keep it' }).click();
  await page.getByText('Kept for you').waitFor();
  await page.goto('/cp/charts?box=sip1&match=dialog:&span=1h');
  await card(page, 'dialog:active_dialogs').locator('.facts').getByText(/^1\.[2-5]\d\d$/).first().waitFor();
  await page.locator('.plot').focus();
  // At its right end nothing answers.
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+ArrowRight');
  await page.locator('.readout').getByText(/1\.\d\d\d/).waitFor();
  const usual = { headers: { origin: panel.origin }, data: { numbers: 'spaces' } };
  assert.ok((await page.request.patch('/cp/api/v1/me/settings', usual)).ok());
  await close(page);
});

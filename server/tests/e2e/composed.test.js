// Charts that somebody puts together: by form and links without JavaScript, and with it the legend, the table and the cross-hair of several
// lines, at the width of a phone and of a screen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAccessible, expectQuiet, launch, newPage, setUp } from './browser.js';
import { startPanel } from './processes.js';

/** A day of samples, one in a minute, that ends now. */
const END_S = Math.floor(Date.now() / 60_000) * 60;
const COUNT = 1440;
const series = (name, kind, value) => {
  const line = (_, i) => `${name} ${value(i)} ${END_S - (COUNT - i) * 60}`;
  return [`# TYPE ${name} ${kind}`, ...Array.from({ length: COUNT }, line)].join('\n');
};
const history = (calls) => `${series('core:rcv_requests', 'counter', (i) => i * 600)}
${series('dialog:active_dialogs', 'gauge', () => calls)}
${series('shmem:used_size', 'gauge', () => 64_000_000)}
${series('shmem:total_size', 'gauge', () => 256_000_000)}
# EOF
`;
const box = (name) =>
  `[[box]]\nname = "${name}"\nkind = "opensips"\naddress = "http://127.0.0.1:1/mi"\nticks = ["core:", "dialog:", "shmem:"]\n`;
const CALLS = 'chart=sip1/dialog:active_dialogs+sip2/dialog:active_dialogs';

let browser;
let panel;
let session;
before(async () => {
  const config = box('sip1') + box('sip2');
  const histories = { sip1: history(9), sip2: history(5) };
  [browser, panel] = await Promise.all([launch(), startPanel({ config, history: histories })]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  session = await page.context().storageState();
});
after(() => Promise.all([browser?.close(), panel?.stop()]));

const open = async (query, options = {}) => {
  const page = await newPage(browser, panel, { storageState: session, ...options });
  await page.goto(`/cp/charts?${query}`);
  return page;
};
const charts = (page) => new URL(page.url()).searchParams.getAll('chart');
const legend = (page) => page.locator('.legend tbody tr');
const label = (page) => page.locator('figure svg').first().getAttribute('aria-label');

test('without JavaScript a form and links put a chart together', async () => {
  for (const width of [360, 1280]) {
    const page = await open('box=sip1&match=active_dialogs', { javaScriptEnabled: false, viewport: { width, height: 900 } });
    await page.locator('details.add > summary').click();
    await page.getByLabel('Statistic to add to this chart').fill('sip2/dialog:active_dialogs');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    assert.deepEqual(charts(page), ['sip1/dialog:active_dialogs sip2/dialog:active_dialogs']);
    const picture = page.locator('.composed picture img');
    assert.equal((await page.request.get(await picture.getAttribute('src'))).status(), 200, 'the picture is there');
    await page.locator('details.how > summary').click();
    await page.getByRole('link', { name: 'sum', exact: true }).click();
    assert.deepEqual(charts(page), ['sip1/dialog:active_dialogs sip2/dialog:active_dialogs .sum']);
    const svg = await page.request.get(await picture.getAttribute('src'));
    assert.match(await svg.text(), /now 14/);
    await page.getByRole('link', { name: 'Take sip2/dialog:active_dialogs out of this chart' }).click();
    assert.deepEqual(charts(page), ['sip1/dialog:active_dialogs .sum']);
    await page.goBack();
    assert.equal(charts(page).length, 1);
    await page.locator('details.how > summary').click();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing is wider than the page');
    await page.context().close();
  }
});

test('a share is of another statistic', async () => {
  const page = await open('chart=sip1/shmem:used_size', { javaScriptEnabled: false });
  await page.locator('details.how > summary').click();
  await page.getByLabel('Share of').fill('sip1/shmem:total_size');
  await page.getByRole('button', { name: 'Show shares' }).click();
  assert.deepEqual(charts(page), ['sip1/shmem:used_size .percent .of=shmem:total_size']);
  const svg = await page.request.get(await page.locator('.composed picture img').getAttribute('src'));
  assert.match(await svg.text(), /now 25\u2009%/);
});

test('the legend hides, leaves alone and sorts', async () => {
  for (const width of [360, 1280]) {
    const page = await open(`${CALLS}+sip1/core:rcv_requests`, { viewport: { width, height: 900 } });
    await legend(page).nth(2).waitFor();
    const names = () => legend(page).locator('button').allInnerTexts();
    assert.deepEqual(await names(), ['sip1 · dialog:active_dialogs', 'sip2 · dialog:active_dialogs', 'sip1 · core:rcv_requests']);
    await page.locator('.legend').getByRole('button', { name: 'max' }).click();
    await page.locator('.legend th[aria-sort="descending"]').waitFor();
    assert.deepEqual(await names(), ['sip1 · core:rcv_requests', 'sip1 · dialog:active_dialogs', 'sip2 · dialog:active_dialogs']);
    const one = page.locator('.legend').getByRole('button', { name: 'sip2 · dialog:active_dialogs' });
    await one.click();
    await page.locator('.legend button[aria-pressed="false"]').waitFor();
    await one.click({ modifiers: ['Alt'] });
    await page.waitForFunction(() => document.querySelectorAll('.legend button[aria-pressed="false"]').length === 2);
    await one.click({ modifiers: ['Alt'] });
    await page.waitForFunction(() => document.querySelectorAll('.legend button[aria-pressed="false"]').length === 0);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing is wider than the page');
    await expectAccessible(page);
    expectQuiet(page);
    await page.context().close();
  }
});

test('numbers are a table, and the cross-hair tells every line', async () => {
  const page = await open(CALLS);
  await legend(page).nth(1).waitFor();
  await page.locator('.numbers > summary').click();
  const cells = page.locator('.numbers tbody tr').filter({ has: page.locator('td', { hasText: /^9$/ }) }).first().locator('td');
  await cells.nth(1).waitFor();
  assert.deepEqual(await cells.allInnerTexts(), ['9', '5']);
  await page.locator('.plot').focus();
  await page.keyboard.press('ArrowLeft');
  const readout = page.locator('.readout');
  await readout.getByText('9  sip1').waitFor();
  assert.match(await readout.innerText(), /5\s+sip2/);
  await expectAccessible(page);
  expectQuiet(page);
});

test('lines lie on each other, as sum, by equal ratios and as increase', async () => {
  for (const [how, says] of [['.stacked', /sip1: now 9/], ['.sum', /now 14/], ['.log', /sip2: now 5/]]) {
    const page = await open(`${CALLS}+${how}`);
    await page.locator('figure svg').waitFor();
    assert.match(await label(page), says, how);
    expectQuiet(page);
    await page.context().close();
  }
  const page = await open('chart=sip1/core:rcv_requests+.increase');
  await page.locator('figure svg').waitFor();
  assert.match(await label(page), /increase each .*now/);
  expectQuiet(page);
});

// A statistic's own page: reached from its row and its chart, alive with one stream, ticked, reset and charted, with and without JavaScript.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAccessible, expectComplaint, expectQuiet, expectWhole, launch, newPage, number, setUp, untilLive, withoutClient } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';
import { FIRST, expectAccessibleEverywhere } from './windows.js';

const HOSTILE = ['script:a/b%2Fc', 'script:<img src=x onerror="globalThis.ran = 1">', 'script:\u202egnp\n', `long:${'<'.repeat(10_000)}`];
const statistics = {
  'core:rcv_requests': 1_000_000,
  'core:rcv_replies': 20,
  'core:drop_requests': 2,
  'dialog:active_dialogs': 7,
  ...Object.fromEntries(HOSTILE.map((name) => [name, 1])),
};
const COUNTER = '/cp/boxes/sip1/core:rcv_requests';
const WHOLE = '.val b, .unit, .rate, .switch a, .btn, .ghost, .facts span, .tabs a, .marks time';

let browser;
let panel;
let box;
let session;
before(async () => {
  box = await startFakeBox(statistics);
  const config = ['sip1', 'sip2'].map((name) => `[[box]]\nname = "${name}"\nkind = "opensips"\naddress = "${box.address}"\n`).join('\n');
  [browser, panel] = await Promise.all([launch(), startPanel({ config: `${config}ticks = ["dialog:"]\n` })]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  for (const name of ['sip1', 'sip2']) {
    await page.goto(`/cp?box=${name}`);
    await page.locator('tr[data-name]').first().waitFor();
  }
  session = await page.context().storageState();
  await page.context().close();
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop()]));

const open = async (path, options = {}) => {
  const page = await newPage(browser, panel, { storageState: session, reducedMotion: 'reduce', ...options });
  await page.goto(path);
  return page;
};
const value = (page) => page.locator('.own .val b');

test('from the row to the page: its value lives, and one stream brings it', async () => {
  const page = await open('/cp?box=sip1');
  const streams = [];
  page.on('request', (request) => request.resourceType() === 'eventsource' && streams.push(request));
  await page.getByRole('link', { name: 'rcv_requests', exact: true }).click();
  await page.waitForURL((url) => url.pathname === COUNTER);
  await page.getByRole('heading', { name: 'rcv_requests of sip1' }).waitFor();
  await untilLive(page);
  const before = number(await value(page).textContent());
  assert.ok(before >= 1_000_000);
  await page.waitForFunction((before) => Number(document.querySelector('.own .val b').textContent.replace(/\D/g, '')) > before, before);
  await page.locator('.own .rate').filter({ hasText: '/s' }).waitFor();
  await page.getByRole('heading', { name: 'Worth watching with it' }).waitFor();
  assert.equal(await page.locator('tr[data-name="core:rcv_replies"]').count(), 1);
  // Opened anew for the second island, it is the same stream: of those that were opened one is open.
  const paths = new Set(streams.map((request) => new URL(request.url()).search).filter((search) => search.includes('match=')));
  assert.equal(paths.size, 1, [...paths].join(' '));
  await page.getByRole('link', { name: 'core', exact: true }).click();
  await page.waitForURL((url) => url.searchParams.get('match') === 'core:');
  expectQuiet(page);
  await page.context().close();
});

test('ticked here it is recorded and charted, and says by what', async () => {
  const page = await open(COUNTER);
  await untilLive(page);
  await page.getByText('No: nothing ticks it.').waitFor();
  await page.getByText('Tick it to record it.').waitFor();
  await page.getByRole('checkbox', { name: 'record core:rcv_requests' }).press('Space');
  await page.getByText('Yes, by its own tick, made in the panel.').waitFor();
  await page.getByText('Tick it to record it.').waitFor({ state: 'hidden' });
  await page.locator('figure .plot svg').waitFor();
  await page.getByRole('link', { name: '1h', exact: true }).click();
  await page.waitForURL((url) => url.search === '?span=1h');
  await page.locator('figure .facts').getByText('now').waitFor();
  // The chart's page leads here, and still to the chart alone.
  await page.goto('/cp/charts?box=sip1');
  await page.getByRole('link', { name: 'alone : core:rcv_requests' }).click();
  await page.waitForURL((url) => url.searchParams.get('match') === 'core:rcv_requests');
  await page.getByRole('heading', { name: 'core:rcv_requests' }).getByRole('link').click();
  await page.waitForURL((url) => url.pathname === COUNTER);
  await page.goto('/cp/boxes/sip2/dialog:active_dialogs');
  await page.getByText('Yes, by dialog:, made by the configuration file.').waitFor();
  expectQuiet(page);
  await page.context().close();
});

test('reset here, it comes back here, and says who did it', async () => {
  const page = await open('/cp/boxes/sip2/dialog:active_dialogs');
  await page.goto('/cp?box=sip2');
  await untilLive(page);
  await page.locator('tr[data-name="core:drop_requests"]').getByRole('checkbox').press('Space');
  await page.getByText('is recorded from its present value on').waitFor();
  await page.goto('/cp/boxes/sip2/core:drop_requests');
  await untilLive(page);
  await page.getByRole('link', { name: 'reset core:drop_requests' }).click();
  await page.getByRole('button', { name: 'Reset it' }).click();
  await page.getByText('core:drop_requests of sip2 was set to zero').waitFor();
  assert.equal(new URL(page.url()).pathname, '/cp/boxes/sip2/core:drop_requests');
  await page.locator('.marks').getByText('Set to zero by operator.').waitFor();
  // In the reader's time: the panel runs on UTC, this browser is an hour ahead of it or two.
  await page.getByText('times in Europe/Berlin').waitFor();
  const [shown, ms] = await page.locator('.marks time').first().evaluate((time) => [time.textContent, Number(time.dataset.ms)]);
  assert.ok(shown.includes(new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', timeStyle: 'medium' }).format(ms)), shown);
  expectQuiet(page);
  await page.context().close();
});

test('a name of any kind leads to its page and stays text', async () => {
  const page = await open('/cp?box=sip1');
  const links = await page.locator('#rows tr[data-name]').evaluateAll((rows) => rows.map((row) => [row.dataset.name, row.querySelector('.name a').href]));
  for (const name of HOSTILE) {
    const [, href] = links.find(([other]) => other === name);
    await page.goto(href);
    await untilLive(page);
    assert.equal(await page.locator('.own tr').last().getAttribute('data-name'), name);
    assert.ok((await page.locator('h1').innerText()).length < 200);
    await page.locator('.own .val b').filter({ hasText: /\d/ }).waitFor();
    assert.equal(await page.evaluate(() => globalThis.ran), undefined);
    await expectAccessible(page);
  }
  expectQuiet(page);
  await page.goto('/cp/boxes/sip1/core:nothing');
  await page.getByRole('heading', { name: 'No such statistic' }).waitFor();
  expectComplaint(page, /status of 404/);
  await page.context().close();
});

test('without JavaScript: ticked, unticked, another span, another kind', async () => {
  const page = await open('/cp/boxes/sip1/core:rcv_replies', { javaScriptEnabled: false });
  const src = await page.locator('figure img').getAttribute('src');
  assert.equal((await page.request.get(src)).status(), 200);
  await page.getByRole('checkbox', { name: 'record core:rcv_replies' }).press('Space');
  await page.getByRole('button', { name: 'Save ticks' }).locator('visible=true').click();
  await page.getByText('Yes, by its own tick, made in the panel.').waitFor();
  assert.equal(new URL(page.url()).pathname, '/cp/boxes/sip1/core:rcv_replies');
  await page.getByRole('link', { name: '7d', exact: true }).click();
  await page.waitForURL((url) => url.searchParams.get('span') === '7d');
  await page.locator('.about-it summary').click();
  await page.getByRole('button', { name: 'A gauge: it goes up and down' }).click();
  await page.getByText('core:rcv_replies is a gauge now').waitFor();
  assert.equal(new URL(page.url()).search, '?span=7d');
  await page.getByRole('checkbox', { name: 'record core:rcv_replies' }).press('Space');
  await page.getByRole('button', { name: 'Save ticks' }).locator('visible=true').click();
  await page.getByText('No longer: it was unticked.').waitFor();
  expectQuiet(page);
  await page.context().close();
});

test('accessible in every window, with and without JavaScript', async () => {
  const page = await open(COUNTER, FIRST);
  for (const path of [COUNTER, '/cp/boxes/sip2/dialog:active_dialogs?mode=rate', '/cp/boxes/tickmark/host:memory_used']) {
    await page.goto(path);
    await untilLive(page);
    await expectAccessibleEverywhere(page, `a statistic, ${path}`, { whole: WHOLE });
    await page.locator('.about-it summary').click();
    await expectAccessibleEverywhere(page, `a statistic, about it, ${path}`, { opened: true });
    expectQuiet(page);
  }
  await withoutClient(page);
  await page.goto(COUNTER);
  await page.getByRole('button', { name: 'Save ticks' }).locator('visible=true').waitFor();
  await expectAccessibleEverywhere(page, 'a statistic, without JavaScript', { opened: true });
  await page.context().close();
});

// The Overview: every box as a tile, problems first, alive, found as one types, by keys alone, without JavaScript, and a hundred of them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectAccessible, expectQuiet, expectWhole, launch, newPage, setUp, withoutClient } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';
import { FIRST, expectAccessibleEverywhere } from './windows.js';

const GIB = 2 ** 30;
const statistics = {
  'core:rcv_requests': 1000,
  'dialog:active_dialogs': 7,
  'shmem:total_size': GIB,
  'shmem:used_size': GIB / 4,
  'script:own': 5,
};
/** What is read off a tile is never cut. */
const WHOLE = '.tile .val b, .tiles:not(.lines) .how, .lines .stale .how, .tabs a, .switch a';

let browser;
let panel;
let well;
let other;
let session;
before(async () => {
  [well, other] = await Promise.all([startFakeBox(statistics, (name) => name.startsWith('shmem')), startFakeBox(statistics)]);
  [browser, panel] = await Promise.all([launch(), startPanel()]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  await add(page, { name: 'sip1', address: well.address, labels: { site: 'fra' } });
  await add(page, { name: 'sip2', address: other.address, labels: { site: 'ber' } });
  await add(page, { name: 'resting', address: well.address });
  await change(page, 'PATCH', 'resting', { paused: true });
  for (const name of ['sip1', 'sip2']) {
    await page.goto(`/cp?box=${name}`);
    await page.locator('tr[data-name]').first().waitFor();
  }
  session = await page.context().storageState();
  await page.context().close();
});
after(() => Promise.all([browser?.close(), panel?.stop(), well?.stop(), other?.stop()]));

const change = async (page, method, name, data) => {
  const answer = await page.request.fetch(`/cp/api/v1/boxes${name && `/${name}`}`, { method, headers: { origin: panel.origin }, data });
  assert.ok(answer.ok(), await answer.text());
};
const add = (page, data) => change(page, 'POST', '', { kind: 'opensips', interval: '500ms', ...data });
const open = async (path = '/cp/overview', options = {}) => {
  const page = await newPage(browser, panel, { storageState: session, reducedMotion: 'reduce', ...options });
  await page.goto(path);
  return page;
};
const untilLive = (page) => page.locator('#live [data-live]').filter({ hasText: /^live$/ }).waitFor();
const tile = (page, name) => page.locator(`#tiles > li[data-box="${name}"]`);
const number = (page, box, name) => tile(page, box).locator(`[data-name="${name}"] .val b`);
const order = (page) => page.locator('#tiles > li:not([hidden])').evaluateAll((tiles) => tiles.map((one) => one.dataset.box));
const untilOrder = (page, names) =>
  page.waitForFunction(
    (names) => [...document.querySelectorAll('#tiles > li:not([hidden])')].map((one) => one.dataset.box).join() === names,
    names.join(),
  );

test('a tile says how its box does, and follows it', async () => {
  const page = await open();
  await untilLive(page);
  assert.deepEqual(await order(page), ['resting', 'tickmark', 'sip1', 'sip2']);
  await page.getByText('1 paused · 3 answering').waitFor();
  assert.match(await number(page, 'sip1', 'shmem:used_size').innerText(), /^25 %$/);
  assert.equal(await tile(page, 'sip1').locator('[data-name="shmem:used_size"] .val').getAttribute('title'), '256 MiB of 1 GiB');
  await tile(page, 'sip1').getByText('ago').waitFor();
  // Its numbers move without anybody doing anything.
  const before = await number(page, 'sip1', 'dialog:active_dialogs').innerText();
  await number(page, 'sip1', 'dialog:active_dialogs').filter({ hasNotText: new RegExp(`^${before}$`) }).waitFor();
  await number(page, 'sip1', 'core:rcv_requests').filter({ hasText: '/s' }).waitFor();
  await expectAccessible(page);
  expectQuiet(page);
  await page.context().close();
});

test('a box that fails goes to the front and says why, and back when it answers', async () => {
  const page = await open();
  await untilLive(page);
  other.be('failing');
  await untilOrder(page, ['sip2', 'resting', 'tickmark', 'sip1']);
  await tile(page, 'sip2').getByText('no answer').waitFor();
  assert.match(await tile(page, 'sip2').locator('.why').innerText(), /500/);
  await page.getByText('1 no answer · 1 paused · 2 answering').waitFor();
  await expectAccessible(page);
  // While somebody stands on a tile nothing moves under them.
  await tile(page, 'sip1').getByRole('link').focus();
  other.be('up');
  await tile(page, 'sip2').and(page.locator('[data-state=up]')).waitFor();
  assert.deepEqual(await order(page), ['sip2', 'resting', 'tickmark', 'sip1']);
  await page.getByRole('searchbox').focus();
  await untilOrder(page, ['resting', 'tickmark', 'sip1', 'sip2']);
  expectQuiet(page);
  await page.context().close();
});

test('boxes that come, change their name and go, do so here too', async () => {
  const page = await open();
  await untilLive(page);
  await add(page, { name: 'fresh', address: well.address });
  await number(page, 'fresh', 'dialog:active_dialogs').waitFor();
  await change(page, 'PATCH', 'fresh', { name: 'renamed' });
  await tile(page, 'renamed').waitFor();
  assert.equal(await tile(page, 'fresh').count(), 0);
  await change(page, 'DELETE', 'renamed?history=delete');
  await tile(page, 'renamed').waitFor({ state: 'detached' });
  expectQuiet(page);
  await page.context().close();
});

test('the search finds as one types, by the keyboard alone, and the tile leads to the box', async () => {
  const page = await open();
  await untilLive(page);
  await page.keyboard.press('/');
  await page.keyboard.type('site= FRA');
  assert.deepEqual(await order(page), ['sip1']);
  assert.equal(new URL(page.url()).searchParams.get('match'), 'site= FRA');
  assert.match(await page.getByRole('link', { name: 'by name' }).getAttribute('href'), /match=site/);
  await page.keyboard.press('Escape');
  assert.equal((await order(page)).length, 4);
  assert.equal(new URL(page.url()).search, '');
  await page.keyboard.type('nobody has that');
  await page.getByText('No box matches').first().waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('ArrowDown');
  const focused = () => page.evaluate(() => document.activeElement.closest('li')?.dataset.box);
  assert.equal(await focused(), 'resting');
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(), 'tickmark');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowUp');
  assert.equal(await page.evaluate(() => document.activeElement.matches('[data-search]')), true);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname === '/cp' && url.searchParams.get('box') === 'resting');
  expectQuiet(page);
  await page.context().close();
});

test('accessible in every window, with and without JavaScript', async () => {
  const page = await open('/cp/overview', FIRST);
  for (const path of ['/cp/overview', '/cp/overview?size=lines', '/cp/overview?match=nobody']) {
    await page.goto(path);
    await untilLive(page);
    await expectAccessibleEverywhere(page, `tiles, ${path}`, { whole: WHOLE });
    expectQuiet(page);
  }
  await withoutClient(page);
  await page.goto('/cp/overview?sort=name');
  await expectAccessibleEverywhere(page, 'tiles, without JavaScript', { opened: true });
  await page.getByRole('searchbox').fill('paused');
  await page.getByRole('button', { name: 'Find' }).click();
  await page.waitForURL((url) => url.searchParams.get('match') === 'paused' && url.searchParams.get('sort') === 'name');
  assert.deepEqual(await order(page), ['resting']);
  await page.getByRole('link', { name: 'resting' }).locator('visible=true').click();
  await page.waitForURL((url) => url.searchParams.get('box') === 'resting');
  await page.context().close();
});

describe('a hundred boxes', () => {
  test('are one page that is alive, and nothing on it shifts', async () => {
    const one = (place) => `[[box]]\nname = "many${place}"\nkind = "opensips"\naddress = "${well.address}"\n`;
    const many = await startPanel({ config: Array.from({ length: 100 }, (_, place) => one(place + 1)).join(''), interval: '2s' });
    const page = await newPage(browser, many);
    await setUp(page, many);
    await page.goto('/cp/overview');
    await untilLive(page);
    assert.equal(await page.locator('#tiles.lines > li').count(), 101);
    await number(page, 'many100', 'core:rcv_requests').filter({ hasText: '/s' }).waitFor();
    const shifted = await page.evaluate(
      () =>
        new Promise((resolve) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
          }).observe({ type: 'layout-shift', buffered: true });
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
        }),
    );
    assert.ok(shifted < 0.01, `layout shifted by ${shifted}`);
    await expectAccessible(page);
    expectQuiet(page);
    await page.context().close();
    await many.stop();
  });
});

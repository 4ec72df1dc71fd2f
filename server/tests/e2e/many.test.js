// Two thousand statistics: what the browser has to do for a poll is bounded by what changed and by what is seen, not by how many there are.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectQuiet, launch, newPage, setUp, untilLive, untilRecorded } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

const COUNT = 2000;
/** So many of them change with each poll. */
const MOVING = 5;
/** After so many polls spark lines are as long as they get. */
const POLLS = 42;
/** So many changes of the document one statistic takes: its value, its rate, its spark line, its class; each cell may be written once. */
const CHANGES_EACH = 8;
/** And so many the page around the rows. */
const CHANGES_AROUND = 24;

const name = (index) => `script${Math.floor(index / 900)}:calls_by_route_${index}`;

let browser;
let panel;
let box;
before(async () => {
  const statistics = Object.fromEntries(Array.from({ length: COUNT }, (_, index) => [name(index), 1000 + index]));
  const moving = new Set(Array.from({ length: MOVING }, (_, index) => name(index * 300)));
  box = await startFakeBox(statistics, (one) => !moving.has(one));
  [browser, panel] = await Promise.all([launch(), startPanel()]);
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop()]));

test('a poll costs what changed, and what nobody sees is not drawn', async () => {
  const page = await newPage(browser, panel, { viewport: { width: 1280, height: 900 } });
  await setUp(page, panel);
  const headers = { origin: panel.origin };
  await page.request.post('/cp/api/v1/boxes', { headers, data: { name: 'sip1', kind: 'opensips', address: box.address, interval: '200ms' } });
  await page.request.post('/cp/api/v1/boxes/sip1/ticks', { headers, data: { match: [name(0)] } });
  await untilRecorded(page, 'sip1', POLLS);
  // From now on it is asked when this test says so.
  await page.request.patch('/cp/api/v1/boxes/sip1', { headers, data: { interval: '1h' } });
  await page.goto('/cp?box=sip1');
  await untilLive(page);
  const shown = await page.locator('tr[data-name]').count();
  assert.ok(shown > COUNT * 0.99, `${shown} rows`);
  const value = page.locator(`tr[data-name="${name(0)}"] .val b`);
  const poll = async () => {
    const before = await value.textContent();
    await page.request.post('/cp/api/v1/boxes/sip1/refresh', { headers });
    await value.filter({ hasNotText: before }).waitFor();
  };
  await page.locator('#rows.drawn').waitFor();
  // The first poll after the page begins what later ones go on with.
  await poll();
  await page.evaluate(() => {
    globalThis.changes = [];
    new MutationObserver((records) => globalThis.changes.push(...records.map(({ target, type }) => `${type} ${target.className?.baseVal ?? target.className ?? ''}`))).observe(
      document.querySelector('#rows'),
      { subtree: true, childList: true, characterData: true, attributes: true },
    );
  });
  await poll();
  const changes = await page.evaluate(() => globalThis.changes);
  assert.ok(changes.length <= MOVING * CHANGES_EACH + CHANGES_AROUND, `${changes.length} changes:\n${changes.slice(0, 60).join('\n')}`);
  // The parts that are drawn are those in sight and next to it.
  const parts = await page.locator('.part').evaluateAll((all) => all.map((part) => part.firstElementChild.checkVisibility({ contentVisibilityAuto: true })));
  const drawn = parts.filter(Boolean).length;
  assert.ok(drawn <= 8 && drawn < parts.length / 4, `${drawn} of ${parts.length} parts are drawn`);
  // The page is as high as before, and nothing jumps when one goes through it.
  const height = () => page.evaluate(() => document.documentElement.scrollHeight);
  const before = await height();
  await page.locator(`tr[data-name="${name(899)}"]`).scrollIntoViewIfNeeded();
  assert.ok(await page.locator(`tr[data-name="${name(899)}"] .val b`).isVisible());
  assert.ok(Math.abs((await height()) - before) <= 2, `${before} became ${await height()}`);
  expectQuiet(page);
});

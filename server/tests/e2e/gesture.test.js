// While hands move what is looked at, the pictures of all charts move with them, and nothing is drawn or asked for; then it is.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectQuiet, newPage } from './browser.js';
import { startHistory } from './stage.js';

/** Three hours of samples, one in ten seconds, that ended a minute ago. */
const END_S = Math.floor(Date.now() / 10_000) * 10 - 60;
const COUNT = 1080;
const NAMES = ['core:rcv_requests', 'dialog:active_dialogs'];
const series = (name, kind, value) =>
  [`# TYPE ${name} ${kind}`, ...Array.from({ length: COUNT }, (_, i) => `${name} ${value(i)} ${END_S - (COUNT - i) * 10}`)].join('\n');
const HISTORY = `${series(NAMES[0], 'counter', (i) => i * 100 + (i % 7))}\n${series(NAMES[1], 'gauge', (i) => i % 50)}\n# EOF\n`;
/** The two hours that are looked at. */
const [FROM, TO] = [END_S - 9000, END_S - 1800].map((at) => at * 1000);

let browser;
let panel;
let session;
let stop;
before(async () => {
  ({ browser, panel, session, stop } = await startHistory(HISTORY, ['core', 'dialog']));
});
after(() => stop?.());

const plot = (page, name) => page.locator(`figure[data-name="${name}"] .plot`);
const range = (page) => ['from', 'to'].map((end) => Number(new URL(page.url()).searchParams.get(end)));

/** Opens both charts, and counts from then on what is drawn and what is asked for. */
async function open(options = {}) {
  const page = await newPage(browser, panel, { storageState: session, viewport: { width: 1280, height: 900 }, ...options });
  const loaded = NAMES.map(() => page.waitForResponse((answer) => answer.url().includes('/series?')));
  await page.goto(`/cp/charts?box=sip1&from=${FROM}&to=${TO}`);
  await Promise.all(loaded);
  for (const name of NAMES) await plot(page, name).locator('svg').waitFor();
  page.asked = [];
  page.on('request', (request) => /\/(series|chart)\?/.test(request.url()) && page.asked.push(request.url()));
  await page.evaluate(() => {
    globalThis.drawn = 0;
    const seen = new MutationObserver((list) => (globalThis.drawn += list.filter((one) => [...one.addedNodes].some((node) => node.nodeName === 'svg')).length));
    for (const one of document.querySelectorAll('.plot')) seen.observe(one, { childList: true });
  });
  return page;
}

/** How a chart's picture is moved, in pixels and times; none: it is as it was drawn. */
const moved = (page, name) => plot(page, name).locator('.moves').evaluate((one) => {
  const transform = one.transform.baseVal.consolidate()?.matrix;
  return transform ? { times: transform.a, by: transform.e / 10 } : null;
});
const untilMoved = (page) => page.waitForFunction((count) => document.querySelectorAll('.moves[transform]').length === count, NAMES.length);
/** All was drawn anew, and is at rest. */
const untilDrawn = (page) => page.waitForFunction((count) => globalThis.drawn >= count && !document.querySelector('.moves[transform]'), NAMES.length);
const expectUntouched = async (page) => {
  assert.equal(await page.evaluate(() => globalThis.drawn), 0, 'nothing is drawn while hands move');
  assert.deepEqual(page.asked, [], 'nothing is asked for while hands move');
};

test('what is dragged follows the hand in every chart, with its times, its cross-hair and what is pinned', async () => {
  const page = await open();
  const { x, y, width } = await plot(page, NAMES[0]).boundingBox();
  const at = (place) => [x + width / 2 + place, y + 80];
  await page.mouse.click(...at(0));
  await page.locator('.pin').first().waitFor();
  const pin = () => page.locator('.pin').first().evaluate((one) => one.getBoundingClientRect().left);
  const label = () => plot(page, NAMES[1]).locator('.times text').nth(2).evaluate((one) => one.getBoundingClientRect().left);
  const axis = () => plot(page, NAMES[1]).locator('svg > text').first().evaluate((one) => one.getBoundingClientRect().left);
  const [pinned, labelled, stands] = [await pin(), await label(), await axis()];
  await page.keyboard.down('Shift');
  await page.mouse.down();
  await page.mouse.move(...at(60), { steps: 4 });
  await untilMoved(page);
  for (const name of NAMES) {
    const { times, by } = await moved(page, name);
    assert.equal(times, 1);
    assert.ok(Math.abs(by - 60) < 1, `${by} px`);
  }
  const near = (one, other) => assert.ok(Math.abs(one - other - 60) <= 1.5, `${one} ${other}`);
  near(await pin(), pinned);
  near(await label(), labelled);
  assert.equal(await axis(), stands, 'the axis of values stays');
  assert.match(await plot(page, NAMES[0]).locator('.inside').getAttribute('clip-path'), /^inset\(/);
  await expectUntouched(page);
  // Back where it began it was a click that moved nothing.
  await page.mouse.move(...at(0));
  await page.mouse.up();
  await untilDrawn(page);
  assert.deepEqual(range(page), [FROM, TO]);

  await page.evaluate(() => (globalThis.drawn = 0));
  await page.mouse.down();
  await page.mouse.move(...at(100), { steps: 4 });
  const loaded = page.waitForResponse((answer) => answer.url().includes('/series?'));
  await page.mouse.up();
  await page.keyboard.up('Shift');
  await page.waitForURL((url) => Number(url.searchParams.get('from')) < FROM);
  await loaded;
  await untilDrawn(page);
  expectQuiet(page);
  await page.context().close();
});

test('the wheel stretches the pictures, and the last of its turns settles', async () => {
  const page = await open();
  // Only the test lets it rest.
  await page.evaluate(() => {
    const set = globalThis.setTimeout;
    globalThis.rests = [];
    globalThis.setTimeout = (act, ms, ...more) => (ms === 160 ? globalThis.rests.push(act) : set(act, ms, ...more));
  });
  const { x, y, width } = await plot(page, NAMES[0]).boundingBox();
  await page.mouse.move(x + width / 2, y + 80);
  await page.keyboard.down('Control');
  for (let i = 0; i < 5; i += 1) await page.mouse.wheel(0, -60);
  await page.keyboard.up('Control');
  await untilMoved(page);
  await page.waitForFunction(() => globalThis.rests.length === 5);
  for (const name of NAMES) assert.ok((await moved(page, name)).times > 2.5, 'each turn counts');
  assert.equal(await plot(page, NAMES[0]).locator('.moves.stretched').count(), 1);
  await expectUntouched(page);
  assert.deepEqual(range(page), [FROM, TO], 'it does not stand in the address yet');
  await page.evaluate(() => globalThis.rests.forEach((act) => act()));
  await page.waitForURL((url) => Number(url.searchParams.get('from')) > FROM);
  await untilDrawn(page);
  const [from, to] = range(page);
  assert.ok(to - from < (TO - FROM) / 2.5, `${to - from} ms`);
  expectQuiet(page);
  await page.context().close();
});

test('two fingers stretch the pictures too', async () => {
  const page = await open({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const { x, y } = await plot(page, NAMES[0]).boundingBox();
  const touch = await page.context().newCDPSession(page);
  const send = (type, ...xs) => touch.send('Input.dispatchTouchEvent', { type, touchPoints: xs.map((place, id) => ({ x: x + place, y: y + 60, id })) });
  await send('touchStart', 150, 200);
  for (const by of [10, 20, 30]) await send('touchMove', 150 - by, 200 + by);
  await page.locator('.moves.stretched').first().waitFor({ state: 'attached' });
  await expectUntouched(page);
  await send('touchEnd');
  await page.waitForURL((url) => Number(url.searchParams.get('to')) < TO);
  await page.waitForFunction(() => globalThis.drawn > 0);
  expectQuiet(page);
  await page.context().close();
});

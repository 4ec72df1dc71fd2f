// What a page that stays open makes of boxes that are added, renamed and removed elsewhere: it follows.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { expectQuiet, launch, newPage, setUp, untilLive } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

let browser;
let panel;
let box;
let session;
let elsewhere;
before(async () => {
  box = await startFakeBox();
  [browser, panel] = await Promise.all([launch(), startPanel()]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  elsewhere = async (method, path, data) => {
    const answer = await page.request.fetch(`/cp/api/v1/boxes${path}`, { method, headers: { origin: panel.origin }, data });
    assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
  };
  session = await page.context().storageState();
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop()]));

const add = (name) => elsewhere('POST', '', { name, kind: 'opensips', address: box.address });
const rename = (before, name) => elsewhere('PATCH', `/${before}`, { name });
const remove = (name) => elsewhere('DELETE', `/${name}?history=delete`);

const open = async (path) => {
  const page = await newPage(browser, panel, { storageState: session });
  await page.goto(path);
  await untilLive(page);
  return page;
};
const pill = (page, name) => page.locator(`nav.boxes a[data-box=${name}]`);

beforeEach(async () => {
  await add('sip1');
  await elsewhere('PUT', '/sip1/ticks/core:rcv_requests');
});

test('pills come, change their names, and go', async () => {
  const realtime = await open('/cp?box=sip1&match=core:');
  const charts = await open('/cp/charts?box=sip1&span=1h');
  for (const page of [realtime, charts]) assert.equal(await pill(page, 'sip2').count(), 0);
  await add('sip2');
  await pill(realtime, 'sip2').filter({ has: realtime.locator('.dot:not(.waiting):not(.down)') }).waitFor();
  await pill(charts, 'sip2').waitFor();
  assert.equal(await pill(realtime, 'sip2').getAttribute('href'), '/cp?box=sip2&match=core:');
  assert.equal(await pill(charts, 'sip2').getAttribute('href'), '/cp/charts?box=sip2&span=1h');
  // In the order in which a page of now would have them.
  assert.deepEqual(await realtime.locator('nav.boxes [data-name]').allTextContents(), ['tickmark', 'sip1', 'sip2']);
  assert.equal(await pill(realtime, 'sip2').getAttribute('aria-current'), null);

  await rename('sip2', 'edge');
  for (const page of [realtime, charts]) {
    await pill(page, 'edge').waitFor();
    assert.match(await pill(page, 'edge').innerText(), /^edge/);
    assert.equal(await pill(page, 'sip2').count(), 0);
  }
  assert.equal(await pill(realtime, 'edge').getAttribute('href'), '/cp?box=edge&match=core:');
  await pill(realtime, 'edge').click();
  await untilLive(realtime);
  assert.match(realtime.url(), /box=edge/);

  await remove('edge');
  await pill(charts, 'edge').waitFor({ state: 'detached' });
  await realtime.getByText('edge was removed from the panel. What is shown is the last known.').waitFor();
  for (const page of [realtime, charts]) expectQuiet(page);
  await remove('sip1');
});

test('a page of a box that is renamed goes with it', async () => {
  const realtime = await open('/cp?box=sip1&match=core:');
  const [charts, all] = [await open('/cp/charts?box=sip1&span=1h'), await open('/cp/charts')];
  await rename('sip1', 'core1');
  await realtime.waitForURL(/\/cp\?box=core1&match=core:$/);
  await charts.waitForURL(/\/cp\/charts\?box=core1&span=1h$/);
  await all.locator('figure[data-box=core1] svg').waitFor();
  for (const page of [realtime, charts]) {
    await untilLive(page);
    assert.equal(await pill(page, 'core1').getAttribute('aria-current'), 'true');
  }
  await charts.locator('figure[data-box=core1] svg').waitFor();
  for (const page of [realtime, charts, all]) {
    // What was asked for by the name before, just as the box was renamed, is not found.
    page.complaints = page.complaints.filter((complaint) => !/404 \(Not Found\) \(.*box=sip1\b/.test(complaint));
    expectQuiet(page);
  }
  await remove('core1');
});

test('what happened while nobody listened is caught up with', async () => {
  await add('sip2');
  const page = await open('/cp?box=sip1');
  await pill(page, 'sip2').waitFor();
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await remove('sip2');
  await rename('sip1', 'core1');
  await add('sip3');
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await page.waitForURL(/box=core1/);
  await untilLive(page);
  assert.deepEqual(await page.locator('nav.boxes [data-name]').allTextContents(), ['tickmark', 'core1', 'sip3']);
  await remove('sip3');
  expectQuiet(page);
  await remove('core1');
});

test('a box that was removed while nobody listened has no pill', async () => {
  await add('sip2');
  const page = await open('/cp?box=sip1');
  await pill(page, 'sip2').waitFor();
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await remove('sip2');
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await pill(page, 'sip2').waitFor({ state: 'detached' });
  await untilLive(page);
  expectQuiet(page);
  await remove('sip1');
});

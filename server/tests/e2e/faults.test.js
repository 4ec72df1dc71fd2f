// What a page that stays open says while the panel, the session or a box is gone: it says so, keeps what it knows, and goes on by itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAccessible, expectQuiet, launch, newPage, setUp, signIn, untilLive } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

const ROW = 'tr[data-name="core:rcv_requests"]';

let browser;
let panel;
let box;
let session;
before(async () => {
  box = await startFakeBox();
  [browser, panel] = await Promise.all([launch(), startPanel({ interval: '200ms' })]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  await page.request.post('/cp/api/v1/boxes', {
    headers: { origin: panel.origin },
    data: { name: 'sip1', kind: 'opensips', address: box.address },
  });
  await page.request.put('/cp/api/v1/boxes/sip1/ticks/core:rcv_requests', { headers: { origin: panel.origin } });
  session = await page.context().storageState();
  await page.context().close();
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop()]));

const open = async (path, options = {}) => {
  const page = await newPage(browser, panel, { storageState: session, ...options });
  await page.goto(path);
  return page;
};
const lost = (page) => page.locator('#lost');

/** Collects what screen readers are told from now on. */
const listen = (page) =>
  page.evaluate(() => {
    globalThis.told = [];
    const regions = '[aria-live], [role=status], [role=alert], output';
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const region = (target.nodeType === Node.TEXT_NODE ? target.parentElement : target)?.closest(regions);
        if (region?.textContent) globalThis.told.push(region.textContent);
      }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  });
const told = (page) => page.evaluate(() => globalThis.told);

/** Waits until a value has changed so often. */
async function untilMoved(page, times) {
  const value = page.locator(`${ROW} .val b`);
  for (let moves = 0; moves < times; moves += 1) {
    const before = await value.textContent();
    await page.waitForFunction(([selector, text]) => document.querySelector(selector).textContent !== text, [`${ROW} .val b`, before]);
  }
}

test('values change in silence; what a tick did is said once', async () => {
  const page = await open('/cp?box=sip1');
  await untilLive(page);
  await listen(page);
  await untilMoved(page, 5);
  assert.deepEqual(await told(page), []);
  await page.getByRole('checkbox', { name: 'record core:drop_requests' }).check();
  await page.locator('#say').getByText('core:drop_requests is recorded').waitFor();
  await untilMoved(page, 2);
  assert.deepEqual(await told(page), ['core:drop_requests is recorded from its present value on.']);
  // How much a search found is said when typing rests.
  await page.getByRole('searchbox').fill('dialog:');
  await page.locator('#heard').getByText('One statistic is shown.').waitFor();
  expectQuiet(page);
  await page.context().close();
});

test('a box that gives no answer is said on every page, and so is its return', async () => {
  const pages = await Promise.all(['/cp?box=sip1', '/cp/charts', '/cp/boxes'].map((path) => open(path)));
  const [realtime, charts, list] = pages;
  await untilLive(realtime);
  await charts.locator('figure svg').first().waitFor();
  box.be('failing');
  await realtime.locator('#banner').getByText('No answer for').waitFor();
  await realtime.locator('#rows.stale').waitFor();
  assert.equal(await realtime.locator('#live [data-live]').innerText(), 'no answer');
  for (const page of [realtime, charts]) {
    await page.locator('#heard').getByText('sip1 gives no answer').waitFor({ state: 'attached' });
    assert.match(await page.locator('nav.boxes [data-box=sip1]').innerText(), /no answer/);
  }
  await list.locator('tr[data-box=sip1]').getByText('no answer').waitFor();
  await list.locator('tr[data-box=sip1] .reason').getByText('500').waitFor();
  for (const page of pages) await expectAccessible(page);
  box.be('up');
  await untilLive(realtime);
  await realtime.locator('#banner').waitFor({ state: 'hidden' });
  for (const page of [realtime, charts]) await page.locator('#heard').getByText('sip1 answers.').waitFor({ state: 'attached' });
  await list.locator('tr[data-box=sip1]').getByText('answers', { exact: true }).waitFor();
  for (const page of pages) {
    expectQuiet(page);
    await page.context().close();
  }
});

test('a tick that is not saved goes back and says why, until that is put away', async () => {
  const page = await open('/cp?box=sip1');
  await untilLive(page);
  const tick = page.getByRole('checkbox', { name: 'record registrar:accepted_regs' });
  await page.route('**/ticks/**', (route) => route.fulfill({ status: 507, body: '{"detail":"the disk is full: make room"}' }));
  await tick.click();
  const said = page.locator('#say').getByText('registrar:accepted_regs could not be ticked: The disk is full: make room.');
  await said.waitFor();
  assert.equal(await tick.isChecked(), false);
  assert.equal(await page.locator('tr.on[data-name="registrar:accepted_regs"]').count(), 0);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Put this message away' }).click();
  await said.waitFor({ state: 'hidden' });
  // Nobody answers: the same.
  await page.unroute('**/ticks/**');
  await page.route('**/ticks/**', (route) => route.abort('connectionrefused'));
  await tick.click();
  await page.locator('#say').getByText('The panel does not answer.').waitFor();
  assert.equal(await tick.isChecked(), false);
  await page.context().close();
});

test('a panel that is gone is said on every page, which goes on when it is back', async () => {
  const pages = await Promise.all(['/cp?box=sip1', '/cp/charts', '/cp/boxes'].map((path) => open(path)));
  const [realtime, charts] = pages;
  await untilLive(realtime);
  await charts.locator('figure svg').first().waitFor();
  const value = await realtime.locator(`${ROW} .val b`).textContent();
  await panel.leave();
  for (const page of pages) {
    await lost(page).getByText('The panel does not answer since').waitFor();
    await page.locator('main.stale').waitFor();
    await page.locator('#heard').getByText('The panel does not answer since').waitFor({ state: 'attached' });
    await expectAccessible(page);
  }
  // What was known is still there, and is not called live.
  assert.notEqual(await realtime.locator(`${ROW} .val b`).textContent(), '');
  for (const page of [realtime, charts]) assert.equal(await page.locator('#live [data-live]').innerText(), 'not connected');
  assert.equal(await charts.locator('figure svg').count() > 0, true);
  await panel.comeBack();
  for (const page of pages) {
    await lost(page).waitFor({ state: 'hidden' });
    await page.locator('main:not(.stale)').waitFor();
  }
  await untilLive(realtime);
  await untilMoved(realtime, 2);
  assert.notEqual(await realtime.locator(`${ROW} .val b`).textContent(), value);
  for (const page of pages) await page.context().close();
});

test('a session that ended is said with the way back', async () => {
  const page = await open('/cp?box=sip1');
  await untilLive(page);
  await page.request.post('/cp/api/v1/logout', { headers: { origin: panel.origin } });
  // Whatever is asked next finds out; so does a stream that has to connect again.
  const tick = page.getByRole('checkbox', { name: 'record registrar:accepted_regs' });
  await tick.click();
  await lost(page).getByText('Your session has ended.').waitFor();
  assert.equal(await tick.isChecked(), false);
  await expectAccessible(page);
  await lost(page).getByRole('link', { name: 'Sign in' }).click();
  await signIn(page);
  await page.waitForURL((url) => url.pathname === '/cp' && url.searchParams.get('box') === 'sip1');
  await page.context().close();
});

test('a stream that is refused for want of a session says so, and asks no more', async () => {
  const own = await newPage(browser, panel);
  await own.goto('/cp/login');
  await signIn(own);
  await own.waitForURL((url) => url.pathname === '/cp');
  await own.goto('/cp?box=sip1');
  await untilLive(own);
  await own.request.post('/cp/api/v1/logout', { headers: { origin: panel.origin } });
  await panel.leave();
  await lost(own).waitFor();
  await panel.comeBack();
  await lost(own).getByText('Your session has ended.').waitFor();
  await own.context().close();
});

// Counters are set to zero from the page, and what is shown is watched closely.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAccessible, expectQuiet, launch, newPage, number, setUp, untilLive, withoutClient } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

let browser;
let panel;
let box;
let session;
before(async () => {
  box = await startFakeBox({ 'core:rcv_requests': 1_000_000, 'core:drop_requests': 2_000_000, 'dialog:active_dialogs': 7, 'dialog:processed': 3_000_000 });
  [browser, panel] = await Promise.all([launch(), startPanel()]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  const sip1 = { name: 'sip1', kind: 'opensips', address: box.address, interval: '1s' };
  await page.request.post('/cp/api/v1/boxes', { headers: { origin: panel.origin }, data: sip1 });
  // A search that was drawn before the first answer stays empty until it is asked again.
  await page.goto('/cp?box=sip1');
  await row(page, 'core:rcv_requests').waitFor();
  session = await page.context().storageState();
  await page.context().close();
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop()]));

const open = async (path, options = {}) => {
  const page = await newPage(browser, panel, { storageState: session, reducedMotion: 'reduce', ...options });
  await page.goto(path);
  return page;
};
const row = (page, name) => page.locator(`tr[data-name="${name}"]`);
const value = async (page, name) => number(await row(page, name).locator('.val b').textContent());

test('one counter, from its row', async () => {
  const page = await open('/cp?box=sip1&match=core:');
  await untilLive(page);
  assert.ok((await value(page, 'core:rcv_requests')) >= 1_000_000);
  await row(page, 'core:rcv_requests').hover();
  await page.getByRole('link', { name: 'reset core:rcv_requests' }).click();
  await page.getByRole('heading', { name: 'Set core:rcv_requests of sip1 to zero?' }).waitFor();
  assert.ok((await value(page, 'core:rcv_requests')) >= 1_000_000, 'asking changes nothing');
  await page.getByRole('button', { name: 'Reset it' }).click();
  await page.getByText('core:rcv_requests of sip1 was set to zero').waitFor();
  assert.equal(new URL(page.url()).search, '?box=sip1&match=core:', 'back where one came from');
  assert.ok((await value(page, 'core:rcv_requests')) < 1_000_000);
  assert.ok((await value(page, 'core:drop_requests')) >= 2_000_000);
  // A gauge has no such link.
  await page.goto('/cp?box=sip1');
  assert.equal(await row(page, 'dialog:active_dialogs').locator('a.zero').count(), 0);
  expectQuiet(page);
  await page.context().close();
});

test('a group, and what a search finds', async () => {
  const page = await open('/cp?box=sip1');
  await untilLive(page);
  await page.getByRole('link', { name: 'Reset the counters of dialog…' }).click();
  await page.getByRole('heading', { name: 'Set dialog:processed of sip1 to zero?' }).waitFor();
  await page.getByText('One gauge matches as well and stays as it is.').waitFor();
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.waitForURL((url) => url.search === '?box=sip1');
  await untilLive(page);
  await page.getByLabel('Find statistics').fill('drop');
  await page.getByRole('link', { name: 'Reset them…' }).click();
  await page.getByRole('heading', { name: 'Set core:drop_requests of sip1 to zero?' }).waitFor();
  await page.getByRole('button', { name: 'Reset it' }).click();
  await page.getByText('core:drop_requests of sip1 was set to zero').waitFor();
  assert.equal(new URL(page.url()).search, '?box=sip1&match=drop');
  assert.ok((await value(page, 'core:drop_requests')) < 2_000_000);
  await page.goto('/cp?box=sip1&reset=active_dialogs');
  await page.getByRole('heading', { name: 'There is nothing to reset' }).waitFor();
  expectQuiet(page);
  await page.context().close();
});

for (const [colorScheme, width] of [['light', 360], ['dark', 1280]]) {
  test(`the question, with and without JavaScript, ${colorScheme}, ${width} px`, async () => {
    const seen = { colorScheme, viewport: { width, height: 900 } };
    for (const path of ['/cp?box=sip1&reset=dialog:%20core:', '/cp?box=sip1&reset=no_such', '/cp?box=sip1&match=core:&every=200ms']) {
      const page = await open(path, seen);
      await untilLive(page);
      await expectAccessible(page);
      await page.context().close();
    }
    const page = await newPage(browser, panel, { storageState: session, ...seen });
    await withoutClient(page);
    await page.goto('/cp?box=sip1');
    await page.goto('/cp?box=sip1&reset=dialog:%20core:');
    await expectAccessible(page);
    await page.getByText('Set 3 counters of sip1 to zero?').waitFor();
    await page.getByRole('button', { name: 'Reset 3 counters' }).click();
    await page.getByText('3 counters of sip1 were set to zero').waitFor();
    await page.context().close();
  });
}

test('what is watched closely moves faster than it is recorded, and stops when nobody looks', async () => {
  const page = await open('/cp?box=tickmark');
  await page.request.patch('/cp/api/v1/boxes/tickmark', { headers: { origin: panel.origin }, data: { interval: '1h' } });
  await page.goto('/cp?box=tickmark');
  await untilLive(page);
  await page.getByRole('link', { name: 'Watch closely' }).click();
  await page.getByRole('link', { name: 'Every 200 ms' }).waitFor();
  assert.equal(new URL(page.url()).search, '?box=tickmark&every=200ms');
  await untilLive(page);
  // Each question is a request that the panel counts.
  let before = await value(page, 'panel:requests');
  for (let step = 0; step < 3; step += 1) {
    await page.request.get('/cp/api/v1/me');
    const least = before;
    await page.waitForFunction(
      (least) => Number(document.querySelector('tr[data-name="panel:requests"] .val b').textContent.replace(/\D/g, '')) > least,
      least,
    );
    before = await value(page, 'panel:requests');
  }
  // Searching goes on closely; the link back ends it.
  await page.getByLabel('Find statistics').fill('panel:');
  await page.waitForURL((url) => url.searchParams.get('every') === '200ms' && url.searchParams.get('match') === 'panel:');
  await page.getByRole('link', { name: 'Every 200 ms' }).click();
  await page.getByRole('link', { name: 'Watch closely' }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('every'), null);
  expectQuiet(page);
  await page.context().close();
});

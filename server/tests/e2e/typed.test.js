// An address is asked while it is typed: when typing rests, once, and of several answers the last counts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAccessible, expectQuiet, launch, newPage, setUp } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

let browser;
let panel;
let box;
let session;
before(async () => {
  box = await startFakeBox();
  [browser, panel] = await Promise.all([launch(), startPanel()]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  session = await page.context().storageState();
  await page.context().close();
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop()]));

/** The page Boxes, and the addresses that are asked from it. */
async function visit(options = {}) {
  const page = await newPage(browser, panel, { storageState: session, ...options });
  const asked = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/boxes/probe')) asked.push(request.postDataJSON().address);
  });
  await page.goto('/cp/boxes');
  // The client is there once it keeps the list true.
  await page.waitForFunction(() => performance.getEntriesByName(new URL('/cp/assets/tickmark_bg.wasm', location.href).href).length > 0);
  await page.locator('leptos-island').first().waitFor({ state: 'attached' });
  return { page, asked };
}

for (const width of [360, 1280]) {
  test(`typing an address finds what is there, asking once, at ${width} px`, async () => {
    const { page, asked } = await visit({ viewport: { width, height: 900 } });
    const address = page.getByLabel('Address');
    await address.pressSequentially(box.address, { delay: 5 });
    await page.locator('#probe').getByText('Found OpenSIPS 4.0.1').waitFor();
    await page.locator('#probe').getByText('4 statistics').waitFor();
    assert.deepEqual(asked, [box.address]);
    assert.equal(await address.inputValue(), box.address, 'what is typed is left alone');
    assert.match(await page.getByLabel('Name').inputValue(), /^opensips\d+$/);
    await expectAccessible(page);
    // What is wrong is said with what to do.
    await address.fill('http://127.0.0.1:1/mi');
    await page.locator('#probe .bad').getByText('No box found there').waitFor();
    await page.locator('#probe .bad').getByText(/refused/).waitFor();
    assert.equal(asked.length, 2);
    expectQuiet(page);
    await page.context().close();
  });
}

test('of two answers the last counts, in whatever order they come', async () => {
  const { page, asked } = await visit();
  let letGo;
  const held = new Promise((resolve) => {
    letGo = resolve;
  });
  let isHeld;
  const first = new Promise((resolve) => {
    isHeld = resolve;
  });
  await page.route('**/boxes/probe', async (route) => {
    if (route.request().postDataJSON().address === 'http://127.0.0.1:1/mi') {
      isHeld();
      await held;
    }
    await route.continue();
  });
  const address = page.getByLabel('Address');
  await address.fill('http://127.0.0.1:1/mi');
  await first;
  await address.fill(box.address);
  await page.locator('#probe').getByText('Found OpenSIPS 4.0.1').waitFor();
  const late = page.waitForResponse((response) => response.request().postDataJSON()?.address === 'http://127.0.0.1:1/mi');
  letGo();
  await (await late).finished();
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  assert.ok(await page.locator('#probe').getByText('Found OpenSIPS 4.0.1').isVisible());
  assert.deepEqual(asked, ['http://127.0.0.1:1/mi', box.address]);
  expectQuiet(page);
});

test('what is no address of HTTP is asked by the button alone', async () => {
  const { page, asked } = await visit();
  // Typing has rested for long, as the page sees it.
  await page.clock.install();
  const address = page.getByLabel('Address');
  for (const text of ['fifo:/tmp/opensips_fifo', 'udp://127.0.0.1:1', 'unix:/tmp/x', '/tmp/opensips_fifo', 'http://user@127.0.0.1:1/mi', '127.0.0.']) {
    await address.fill(text);
    await page.clock.runFor(10_000);
  }
  assert.deepEqual(asked, []);
  await address.fill(box.address);
  await page.clock.runFor(10_000);
  await page.locator('#probe').getByText('Found OpenSIPS 4.0.1').waitFor();
  assert.deepEqual(asked, [box.address]);
  expectQuiet(page);
});

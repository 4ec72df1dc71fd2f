// How Realtime Statistics is read: groups that stay folded, and bytes that are many.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectQuiet, launch, newPage, number, setUp, untilLive } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

const GIB = 2 ** 30;
const statistics = { 'core:rcv_requests': 1000, 'core:drop_requests': 2, 'dialog:active_dialogs': 7, 'shmem:total_size': 15.9 * GIB };

let browser;
let panel;
let box;
let session;
before(async () => {
  box = await startFakeBox(statistics);
  const one = (name) => `
[[box]]
name = "${name}"
kind = "opensips"
address = "${box.address}"
`;
  [browser, panel] = await Promise.all([launch(), startPanel({ config: one('sip1') + one('sip2') })]);
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

const visit = async () => newPage(browser, panel, { storageState: session });
const open = async (page, path) => {
  await page.goto(path);
  await untilLive(page);
};
const folded = (page) => page.locator('#rows details:not([open])').evaluateAll((groups) => groups.map((group) => group.dataset.group));

test('what was folded is folded at the next visit, of every box', async () => {
  const page = await visit();
  await open(page, '/cp?box=sip1');
  assert.deepEqual(await folded(page), []);
  await page.locator('details[data-group=core] summary').click();
  await page.locator('details[data-group=dialog] summary').click();
  await page.waitForFunction(() => localStorage.getItem('tickmark.folded') === '["core","dialog"]');
  for (const path of ['/cp?box=sip1', '/cp?box=sip2']) {
    await open(page, path);
    assert.deepEqual((await folded(page)).sort(), ['core', 'dialog']);
  }
  await page.locator('details[data-group=core] summary').click();
  await page.waitForFunction(() => localStorage.getItem('tickmark.folded') === '["dialog"]');
  await open(page, '/cp?box=sip1');
  assert.deepEqual(await folded(page), ['dialog']);
  // Rows that the server draws anew, as after a search by it, do not forget either.
  await open(page, '/cp?box=sip1&match=core:');
  await page.getByRole('searchbox').fill('dialog:');
  await page.locator('details[data-group=dialog]:not([open])').waitFor();
  expectQuiet(page);
});

test('without a memory groups fold all the same', async () => {
  const page = await visit();
  await page.addInitScript(() => {
    const refuse = () => {
      throw new DOMException('The reader forbids it.', 'SecurityError');
    };
    Object.defineProperty(globalThis, 'localStorage', { get: refuse });
  });
  await open(page, '/cp?box=sip1');
  await page.locator('details[data-group=core] summary').click();
  assert.deepEqual(await folded(page), ['core']);
  await open(page, '/cp?box=sip1');
  assert.deepEqual(await folded(page), []);
  expectQuiet(page);
});

test('what is remembered may be anything', async () => {
  const page = await visit();
  await page.addInitScript(() => localStorage.setItem('tickmark.folded', '["core",5,{"'));
  await open(page, '/cp?box=sip1');
  assert.deepEqual(await folded(page), []);
  expectQuiet(page);
});

test('many bytes are exact, and can be read', async () => {
  const page = await visit();
  await open(page, '/cp?box=sip1');
  const row = page.locator('tr[data-name="shmem:total_size"]');
  const [value, beside] = [row.locator('.val b'), row.locator('.unit')];
  assert.equal(await beside.innerText(), '≈ 15.9 GiB');
  statistics['shmem:total_size'] = 3 * GIB;
  await beside.filter({ hasText: '≈ 3 GiB' }).waitFor();
  const exact = number(await value.textContent());
  assert.ok(exact >= 3 * GIB && exact < 3 * GIB + 10_000, `${exact}`);
  assert.equal(await value.getAttribute('title'), '≈ 3 GiB');
  statistics['shmem:total_size'] = 4096;
  await beside.filter({ hasText: /^bytes$/ }).waitFor();
  assert.equal(await value.getAttribute('title'), null);
  expectQuiet(page);
});

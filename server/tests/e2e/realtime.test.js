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

test('what a page shows is not told again: only what changed since', async () => {
  const page = await visit();
  const api = (method, path, data) => page.request[method](`/cp/api/v1/boxes${path}`, { headers: { origin: panel.origin }, data });
  await api('post', '', { name: 'slow', kind: 'opensips', address: box.address, interval: '1h' });
  const refresh = () => api('post', '/slow/refresh');
  for (let polls = 0; polls < 3; polls += 1) await refresh();
  /** What each row shows: its value, its rate, its course, whether it moved. */
  const shown = (page) =>
    page.locator('tr[data-name]').evaluateAll((rows) =>
      rows.map((row) => [row.dataset.name, ...['.val', '.rate'].map((cell) => row.querySelector(cell).textContent), row.querySelector('path').getAttribute('d'), row.classList.contains('moved')]),
    );
  /** The points of a path, by how far to the right they are. */
  const points = (path) => {
    const found = new Map();
    let [x, y] = [0, 0];
    for (const [, word, right, down] of path.matchAll(/([Mlh])(\d+)(?: ?(-?\d+))?/g)) {
      const to = word === 'M' ? Number(right) : x + Number(right);
      if (word === 'M') x = to;
      else x += 8;
      y = word === 'M' ? Number(down) : y + Number(down ?? 0);
      for (; x <= to; x += 8) found.set(x, y);
      x = to;
    }
    return found;
  };
  const streams = [];
  page.on('request', (request) => request.url().includes('/cp/events') && streams.push(new URL(request.url()).searchParams.get('have')));
  const at = () => page.locator('#rows').getAttribute('data-at');
  await open(page, '/cp?box=slow');
  const first = await at();
  assert.deepEqual(streams, [first]);
  for (const missed of [1, 3]) {
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    const before = await at();
    for (let polls = 0; polls < missed; polls += 1) await refresh();
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await page.waitForFunction((before) => document.querySelector('#rows').dataset.at !== before, before);
    assert.equal(streams.at(-1), before);
    const fresh = await visit();
    await fresh.goto('/cp?box=slow');
    const [ours, theirs] = await Promise.all([shown(page), shown(fresh)]);
    const without = (rows) => rows.map(([name, value, rate, , moved]) => [name, value, rate, moved]);
    assert.deepEqual(without(ours), without(theirs), `${missed} missed`);
    // A point of a course is told by one of 64 levels, and the page that heard it late may have another one beside it.
    for (const [index, [name, , , drawn]] of ours.entries()) {
      const [one, other] = [points(drawn), points(theirs[index][3])];
      assert.deepEqual([...one.keys()], [...other.keys()], `${name}: ${drawn} for ${theirs[index][3]}`);
      for (const [x, y] of one) assert.ok(Math.abs(y - other.get(x)) <= 2, `${name}: ${drawn} for ${theirs[index][3]}`);
    }
    await fresh.context().close();
  }
  expectQuiet(page);
  await api('delete', '/slow?history=delete');
});

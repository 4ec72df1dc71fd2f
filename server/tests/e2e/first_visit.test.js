// What a browser fetches that comes for the first time: page, styles, client, live values. It is bounded, and all of it is the panel's.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { expectQuiet, launch, newPage, setUp, untilLive, untilRecorded } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

/** The most that a first visit may take on the wire, headers and all: of it the client may take 180 kB. */
const VISIT_BUDGET_BYTES = 260_000;
/** A box as large as a busy OpenSIPS. */
const STATISTICS = 187;
/** One whose value changes. */
const MOVING = 'core:rcv_requests';
/** After so many polls spark lines are as long as they get. */
const POLLS = 42;

let browser;
let panel;
let box;
before(async () => {
  const all = await statistics();
  // On a busy server four of five values change from poll to poll.
  const still = new Set(Object.keys(all).filter((name, index) => index % 5 === 4 && name !== MOVING));
  box = await startFakeBox(all, (name) => still.has(name));
  [browser, panel] = await Promise.all([launch(), startPanel()]);
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop()]));

/** The names that a real server has, and counters of a script. */
async function statistics() {
  const answer = await readFile(new URL('../captures/opensips-4.0/get_all_named.resp', import.meta.url), 'utf8');
  const { result } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));
  const names = [...Object.keys(result), ...Array.from({ length: STATISTICS }, (_, index) => `script:calls_by_route_${index}`)];
  return Object.fromEntries(names.slice(0, STATISTICS).map((name, index) => [name, 7919 * (index + 1) ** 2]));
}

/** Counts what comes in, by request. A stream has no end: what came of it counts as it comes. */
async function count(page) {
  const wire = await page.context().newCDPSession(page);
  const requests = new Map();
  wire.on('Network.requestWillBeSent', ({ requestId, request }) => requests.set(requestId, { url: request.url, head: 0, body: 0, late: 0 }));
  wire.on('Network.responseReceived', ({ requestId, response }) => {
    requests.get(requestId).head = response.encodedDataLength;
  });
  wire.on('Network.dataReceived', ({ requestId, encodedDataLength, dataLength }) => {
    const one = requests.get(requestId);
    // Chromium may tell later how much was on the wire, of all that it did not tell yet.
    one.late = encodedDataLength ? 0 : one.late + dataLength;
    one.body += encodedDataLength;
  });
  wire.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    Object.assign(requests.get(requestId), { head: 0, body: encodedDataLength, late: 0 });
  });
  await wire.send('Network.enable');
  return requests;
}

test('a first visit is small, and asks nobody else', async () => {
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  const headers = { origin: panel.origin };
  const data = { name: 'sip1', kind: 'opensips', address: box.address, interval: '200ms' };
  await page.request.post('/cp/api/v1/boxes', { headers, data });
  await page.request.post('/cp/api/v1/boxes/sip1/ticks', { headers, data: { match: ['core:'] } });
  await untilRecorded(page, 'sip1', POLLS);
  // From now on it is asked when this test says so.
  await page.request.patch('/cp/api/v1/boxes/sip1', { headers, data: { interval: '1h' } });
  const session = await page.context().storageState();
  await page.context().close();

  const visitor = await newPage(browser, panel, { storageState: session });
  const requests = await count(visitor);
  await visitor.goto('/cp?box=sip1');
  await untilLive(visitor);
  // What comes from here on is the box's news, however long somebody looks.
  const fetched = [...requests.values()].map(({ url, head, body, late }) => [new URL(url), head + body + late]);
  const row = visitor.locator('tr[data-name]');
  assert.equal(await row.count(), STATISTICS);
  // Live is what moves.
  const value = visitor.locator(`tr[data-name="${MOVING}"] .val b`);
  const before = await value.textContent();
  await visitor.request.post('/cp/api/v1/boxes/sip1/refresh', { headers });
  await value.filter({ hasNotText: before }).waitFor();
  const told = fetched.map(([url, bytes]) => `${bytes} ${url}`).join('\n');
  for (const [url] of fetched) assert.equal(url.origin, panel.origin, `fetched from elsewhere:\n${told}`);
  for (const part of ['/cp', '/cp/assets/tickmark_bg.wasm', '/cp/assets/tickmark.js', '/cp/assets/tickmark.css']) {
    assert.ok(fetched.some(([url, bytes]) => url.pathname === part && bytes > 1000), `${part} was not counted:\n${told}`);
  }
  const total = fetched.reduce((sum, [, bytes]) => sum + bytes, 0);
  assert.ok(total <= VISIT_BUDGET_BYTES, `a first visit takes ${total} bytes, allowed are ${VISIT_BUDGET_BYTES}:\n${told}`);
  expectQuiet(visitor);
});

// What a browser fetches that comes for the first time: page, styles, client, live values. It is bounded, and all of it is the panel's.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { expectQuiet, launch, newPage, setUp, untilLive, untilRecorded } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

/** The most that a first visit may take on the wire up to the first live values, headers and all: of it the client may take 180 kB. */
const VISIT_BUDGET_BYTES = 225_000;
/** A box as large as a busy OpenSIPS. */
const STATISTICS = 187;
/** One whose value changes. */
const MOVING = 'core:rcv_requests';
/** After so many polls spark lines are as long as they get. */
const POLLS = 42;

let browser;
let panel;
let box;
let counter;
before(async () => {
  const all = await statistics();
  // On a busy server four of five values change from poll to poll.
  const still = new Set(Object.keys(all).filter((name, index) => index % 5 === 4 && name !== MOVING));
  box = await startFakeBox(all, (name) => still.has(name));
  [browser, panel] = await Promise.all([launch(), startPanel()]);
});
after(() => Promise.all([browser?.close(), counter?.stop(), panel?.stop(), box?.stop()]));

/** The names that a real server has, and counters of a script. */
async function statistics() {
  const answer = await readFile(new URL('../captures/opensips-4.0/get_all_named.resp', import.meta.url), 'utf8');
  const { result } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));
  const names = [...Object.keys(result), ...Array.from({ length: STATISTICS }, (_, index) => `script:calls_by_route_${index}`)];
  return Object.fromEntries(names.slice(0, STATISTICS).map((name, index) => [name, 7919 * (index + 1) ** 2]));
}

/**
 * Stands between the browser and the panel, and counts what goes to the browser by what was asked for last on the same connection: the
 * browser itself tells late what was on the wire, and of a stream that has no end, nothing for sure. Answers `{ origin, counted, stop }`.
 */
async function startCounter(panel) {
  const { hostname, port } = new URL(panel.origin);
  const counted = new Map();
  const open = new Set();
  const server = createServer((visitor) => {
    const upstream = connect(port, hostname);
    let asked = 'nothing';
    visitor.on('data', (bytes) => {
      // A request fits into what comes at once, and the next one waits for its answer.
      asked = /^[A-Z]+ (\S+) HTTP/.exec(bytes.toString('latin1'))?.[1] ?? asked;
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      counted.set(asked, (counted.get(asked) ?? 0) + bytes.length);
      visitor.write(bytes);
    });
    for (const [one, other] of [[visitor, upstream], [upstream, visitor]]) {
      open.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise((listening) => server.listen(0, hostname, listening));
  const stop = () => {
    for (const one of open) one.destroy();
    return new Promise((closed) => server.close(closed));
  };
  return { origin: `http://${hostname}:${server.address().port}`, counted, stop };
}

test('a first visit is small, and asks nobody else', async () => {
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  const headers = { origin: panel.origin };
  const data = { name: 'sip1', kind: 'opensips', address: box.address, interval: '200ms' };
  await page.request.post('/cp/api/v1/boxes', { headers, data });
  await page.request.post('/cp/api/v1/boxes/sip1/ticks', { headers, data: { match: ['core:'] } });
  await untilRecorded(page, 'sip1', POLLS);
  // From now on it is asked when this test says so; what was under way is over with the first answer that it asks for.
  await page.request.patch('/cp/api/v1/boxes/sip1', { headers, data: { interval: '1h' } });
  await page.request.post('/cp/api/v1/boxes/sip1/refresh', { headers });
  const session = await page.context().storageState();

  counter = await startCounter(panel);
  const visitor = await newPage(browser, counter, { storageState: session });
  const origins = new Set();
  visitor.on('request', (request) => origins.add(new URL(request.url()).origin));
  await visitor.goto('/cp?box=sip1');
  await untilLive(visitor);
  const row = visitor.locator('tr[data-name]');
  assert.equal(await row.count(), STATISTICS);
  // Live is what moves.
  const value = visitor.locator(`tr[data-name="${MOVING}"] .val b`);
  const before = await value.textContent();
  await page.request.post('/cp/api/v1/boxes/sip1/refresh', { headers });
  await value.filter({ hasNotText: before }).waitFor();
  const told = [...counter.counted].map(([path, bytes]) => `${bytes} ${path}`).join('\n');
  assert.deepEqual([...origins], [counter.origin], 'something was fetched from elsewhere');
  for (const part of ['/cp?box=sip1', '/cp/assets/tickmark_bg.wasm', '/cp/assets/tickmark.js', '/cp/assets/tickmark.css', '/cp/events']) {
    assert.ok([...counter.counted].some(([path, bytes]) => path.startsWith(part) && bytes > 1000), `${part} was not counted:\n${told}`);
  }
  const total = [...counter.counted.values()].reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(total <= VISIT_BUDGET_BYTES, `a first visit takes ${total} bytes, allowed are ${VISIT_BUDGET_BYTES}:\n${told}`);
  expectQuiet(visitor);
});

// The whole job with the keyboard alone, and where the focus stands meanwhile: always somewhere, always seen, in an order that makes sense.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectQuiet, newPage, PASSWORD, setUp, untilLive, USER } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { launch } from './browser.js';
import { startPanel } from './processes.js';

/** More stops than any page here has. */
const STOPS_MAX = 400;

let browser;
let panel;
let boxes;
let page;
before(async () => {
  boxes = await Promise.all([startFakeBox(), startFakeBox()]);
  [browser, panel] = await Promise.all([launch(), startPanel()]);
  // By a page of its own: one that is open when its session ends would complain.
  const first = await newPage(browser, panel);
  await setUp(first, panel);
  await first.request.post('/cp/api/v1/boxes', {
    headers: { origin: panel.origin },
    data: { name: 'sip1', kind: 'opensips', address: boxes[0].address },
  });
  await first.context().close();
  page = await newPage(browser, panel, { viewport: { width: 1280, height: 720 } });
});
after(() => Promise.all([browser?.close(), panel?.stop(), ...(boxes ?? []).map((box) => box.stop())]));

const keys = async (...names) => {
  for (const name of names) await page.keyboard.press(name);
};

/** What has the focus: what it is called, and whether one sees that it has it. */
const stop = () =>
  page.evaluate(() => {
    const here = document.activeElement;
    const style = getComputedStyle(here);
    const { left, top, width, height } = here.getBoundingClientRect();
    const over = document.elementFromPoint(left + width / 2, top + height / 2);
    return {
      name: (here.getAttribute('aria-label') ?? here.labels?.[0]?.textContent ?? here.textContent ?? '').replace(/\s+/g, ' ').trim(),
      tag: here.tagName.toLowerCase(),
      ring: style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2,
      inSight: here === document.body || (over !== null && (here.contains(over) || over.contains(here))),
      jumps: here.tabIndex > 0,
    };
  });

/** Tabs to the stop of a name; each on the way must be seen. */
async function tabTo(name, key = 'Tab') {
  for (let stops = 0; stops < STOPS_MAX; stops += 1) {
    await keys(key);
    const here = await stop();
    assert.ok(here.ring && here.inSight && !here.jumps, `the focus is not seen on “${here.name}”: ${JSON.stringify(here)}`);
    if (typeof name === 'string' ? here.name === name : name.test(here.name)) return here;
  }
  return assert.fail(`no stop is called ${name}`);
}

test('signing in, from where the page puts the focus', async () => {
  await page.goto('/cp?box=sip1');
  await page.locator('#user:focus').waitFor();
  await page.keyboard.type(USER);
  await keys('Tab');
  await page.keyboard.type(PASSWORD);
  await keys('Enter');
  await page.waitForURL((url) => url.searchParams.get('box') === 'sip1');
  await untilLive(page);
});

test('the first stop skips to the content', async () => {
  await tabTo('Skip to the content');
  await keys('Enter');
  // Behind it, the first stop is the search: no header and no pills in between.
  assert.equal((await tabTo(/./)).name, 'Find statistics');
});

test('searching, going through the rows, and ticking', async () => {
  await page.goto('/cp?box=sip1');
  await untilLive(page);
  await keys('/');
  await page.keyboard.type('core:');
  await page.locator('tr[data-name="dialog:active_dialogs"]').waitFor({ state: 'hidden' });
  await keys('ArrowDown');
  assert.equal((await stop()).name, 'record core:drop_requests');
  await keys('ArrowDown');
  assert.equal((await stop()).name, 'record core:rcv_requests');
  const saved = page.waitForResponse((response) => response.request().method() === 'PUT');
  await keys('Space');
  assert.equal((await saved).status(), 204);
  await page.locator('#say').getByText('core:rcv_requests is recorded').waitFor();
  // The meaning is there in full for who cannot point at it.
  const meaning = page.locator('tr[data-name="core:rcv_requests"] small');
  assert.deepEqual(await meaning.evaluate((one) => [one.scrollWidth <= one.clientWidth + 1, getComputedStyle(one).whiteSpace]), [true, 'normal']);
  await keys('ArrowUp', 'ArrowUp');
  assert.equal((await stop()).name, 'Find statistics');
  await keys('Escape');
  assert.equal(await page.getByRole('searchbox').inputValue(), '');
  await page.locator('tr[data-name="dialog:active_dialogs"]').waitFor();
});

test('folding a group and unfolding it', async () => {
  await page.goto('/cp?box=sip1');
  await untilLive(page);
  await keys('/', 'ArrowDown', 'ArrowLeft');
  const group = page.locator('details[data-group="core"]');
  assert.deepEqual([await group.getAttribute('open'), (await stop()).tag], [null, 'summary']);
  // Rows of a folded group are passed over.
  await keys('ArrowDown');
  assert.equal((await stop()).name, 'record dialog:active_dialogs');
  await page.locator('details[data-group="core"] summary').focus();
  await keys('ArrowRight', 'ArrowDown');
  assert.equal((await stop()).name, 'record core:drop_requests');
  await page.locator('details[data-group="core"] summary').focus();
  await keys('Enter');
  assert.equal(await group.getAttribute('open'), null);
  await keys('Space');
  assert.equal(await group.getAttribute('open'), '');
});

test('the help opens, holds the focus, and gives it back', async () => {
  await page.goto('/cp?box=sip1');
  await untilLive(page);
  await keys('/', 'ArrowDown');
  const before = (await stop()).name;
  await keys('?');
  await page.locator('#help:focus').waitFor();
  assert.equal((await tabTo(/./)).name, 'Close');
  await keys('Escape');
  await page.getByRole('dialog', { name: 'Help' }).waitFor({ state: 'hidden' });
  assert.equal((await stop()).name, before);
});

test('another box, the charts, another span, values of a chart', async () => {
  await page.goto('/cp?box=sip1');
  await tabTo(/^tickmark/);
  await keys('Enter');
  await page.waitForURL((url) => url.searchParams.get('box') === 'tickmark');
  await tabTo('Statistics Charts');
  await keys('Enter');
  await page.waitForURL((url) => url.pathname === '/cp/charts');
  await page.locator('figure svg').waitFor();
  await tabTo('7d');
  await keys('Enter');
  await page.waitForURL((url) => url.searchParams.get('span') === '7d');
  await page.locator('figure svg').waitFor();
  await tabTo(/read values with the arrow keys/);
  await keys('ArrowLeft');
  // Keys are for hearing a value too. All charts show theirs; the one that has the focus says the time.
  const readout = page.locator('.plot:focus > .hair .readout');
  await readout.waitFor();
  assert.equal((await page.locator('#heard').innerText()).replace(/\s+/g, ' '), (await readout.innerText()).replace(/\s+/g, ' '));
  await tabTo(/: kind of core:rcv_requests$/);
  await keys('Enter');
  await tabTo(/^A counter/);
  await keys('Escape');
  assert.match((await stop()).name, /: kind of core:rcv_requests$/);
  assert.equal(await page.locator('details.kind[open]').count(), 0);
});

test('adding a box and removing it', async () => {
  await page.goto('/cp/boxes');
  await tabTo('Address');
  await page.keyboard.type(boxes[1].address);
  // Enter finds out: that changes nothing.
  await keys('Enter');
  await page.locator('#probe').getByText('Found OpenSIPS 4.0.1').waitFor();
  await tabTo('Name');
  await keys('Control+A');
  await page.keyboard.type('sip2');
  await tabTo('Add box');
  await keys('Enter');
  await page.waitForURL((url) => url.pathname === '/cp' && url.searchParams.get('box') === 'sip2');
  await page.getByRole('status').getByText('sip2 was added.').waitFor();
  await tabTo('Boxes');
  await keys('Enter');
  await page.waitForURL((url) => url.pathname === '/cp/boxes');
  await tabTo('Remove… sip2');
  await keys('Enter');
  await page.getByRole('heading', { name: 'Remove sip2?' }).waitFor();
  // The question has the focus: its first answer is the next stop.
  assert.equal((await tabTo(/./)).name, 'Remove, keep its history');
  await tabTo('Remove and delete its history');
  await keys('Enter');
  await page.getByText('sip2 and its history were removed').waitFor();
});

test('every stop of every page is seen, and none jumps', async () => {
  for (const path of ['/cp?box=sip1', '/cp/charts', '/cp/boxes', '/cp/boxes?edit=sip1', '/cp/settings', '/cp/nothing-here']) {
    await page.goto(path);
    await page.locator('#heard').waitFor({ state: 'attached' });
    const first = await tabTo(/./);
    let here = first;
    for (let stops = 0; here.tag !== 'body' && stops < STOPS_MAX; stops += 1) {
      await keys('Tab');
      here = await stop();
      assert.ok(here.tag === 'body' || (here.ring && here.inSight && !here.jumps), `${path}: ${JSON.stringify(here)}`);
      if (here.name === 'Skip to the content') break;
    }
  }
  page.complaints = page.complaints.filter((complaint) => !/status of 404/.test(complaint));
  expectQuiet(page);
});

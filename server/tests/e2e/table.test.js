// The live table: its order, its columns, what of it is hidden, what is folded, and doing one thing with many rows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectQuiet, launch, newPage, setUp, untilLive, untilRecorded } from './browser.js';
import { PROCESSES, startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';
import { FIRST, expectAccessibleEverywhere } from './windows.js';

const statistics = {
  'core:rcv_requests': 1000,
  'core:drop_requests': 0,
  'core:err_requests': 50_000,
  'core:bad_msg_hdr': 7,
  'dialog:active_dialogs': 7,
  'load:load': 3,
  'load:load-proc-1': 2,
  'load:load-proc-4': 93,
  'load:load-proc-5': 41,
  'pkmem:1-used_size': 1_335_352,
  'pkmem:4-used_size': 1_270_568,
  'pkmem:1-real_used_size': 1_405_120,
  'pkmem:4-real_used_size': 1_340_728,
};
/** Only one counter moves. */
const stands = (name) => name !== 'core:rcv_requests';

let browser;
let panel;
let box;
let mute;
let session;
before(async () => {
  [box, mute] = await Promise.all([startFakeBox(statistics, stands), startFakeBox(statistics, stands, ['ps'])]);
  const one = (name, address, ticks) => `
[[box]]
name = "${name}"
kind = "opensips"
address = "${address}"
ticks = ["${ticks}"]
`;
  const config = one('sip1', box.address, 'script:gone') + one('mute', mute.address, 'core:rcv_requests');
  [browser, panel] = await Promise.all([launch(), startPanel({ config })]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  for (const name of ['sip1', 'mute']) {
    await page.goto(`/cp?box=${name}`);
    await page.locator('tr[data-name]').first().waitFor();
  }
  await untilRecorded(page, 'mute', 3);
  session = await page.context().storageState();
  await page.context().close();
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop(), mute?.stop()]));

const visit = (options = {}) => newPage(browser, panel, { storageState: session, ...options });
const open = async (page, path) => {
  await page.goto(path);
  await untilLive(page);
};
const names = (page, group) => page.locator(`details[data-group=${group}] tr[data-name]`).evaluateAll((rows) => rows.map((row) => row.dataset.name.split(':')[1]));
const row = (page, name) => page.locator(`tr[data-name="${name}"]`);
const head = (page, words) => page.locator('details[data-group=core] thead').getByRole('link', { name: words });
const BY_NAME = ['bad_msg_hdr', 'drop_requests', 'err_requests', 'rcv_requests'];
const BY_VALUE = ['err_requests', 'rcv_requests', 'bad_msg_hdr', 'drop_requests'];

test('a head sorts, by pointer and by keyboard, and the address says so', async () => {
  const page = await visit();
  await open(page, '/cp?box=sip1&match=core:');
  assert.deepEqual(await names(page, 'core'), BY_NAME);
  await head(page, 'Value').click();
  await page.locator('details[data-group=core] thead .val[aria-sort=descending]').waitFor();
  assert.deepEqual(await names(page, 'core'), BY_VALUE);
  assert.equal(new URL(page.url()).search, '?box=sip1&match=core:&sort=value');
  // One stands where one stood, and turns the order by the same key.
  await page.keyboard.press('Enter');
  await page.locator('details[data-group=core] thead .val[aria-sort=ascending]').waitFor();
  assert.deepEqual(await names(page, 'core'), [...BY_VALUE].reverse());
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Value');
  await head(page, 'Course').click();
  await page.locator('details[data-group=core] thead .spark[aria-sort=descending]').waitFor();
  assert.equal((await names(page, 'core'))[0], 'rcv_requests');
  await head(page, 'Per second').click();
  await page.locator('details[data-group=core] thead .rate[aria-sort=descending]').waitFor();
  assert.equal((await names(page, 'core'))[0], 'rcv_requests');
  // What is chosen beside it keeps the order.
  await page.getByRole('navigation', { name: 'Which rows' }).getByRole('link', { name: /^all/ }).click();
  await page.waitForURL((url) => url.searchParams.get('sort') === 'rate');
  expectQuiet(page);
});

test('without JavaScript heads and filters are links, and what is folded opens', async () => {
  const page = await visit({ javaScriptEnabled: false });
  await page.goto('/cp?box=sip1');
  await head(page, 'Value').click();
  assert.deepEqual(await names(page, 'core'), BY_VALUE);
  assert.equal(new URL(page.url()).searchParams.get('sort'), 'value');
  await page.getByRole('link', { name: /hide idle/ }).click();
  assert.equal(new URL(page.url()).searchParams.get('hide'), 'still');
  assert.deepEqual(await names(page, 'core'), BY_VALUE.slice(0, 3));
  await page.getByRole('link', { name: /without idle/ }).click();
  const family = page.locator('.family', { hasText: 'load-proc-*' });
  assert.equal(await row(page, 'load:load-proc-4').isVisible(), false);
  await family.locator('summary').click();
  assert.ok(await row(page, 'load:load-proc-4').isVisible());
  // The folded row's check box is saved like any other.
  await family.locator('input[name=on_all]').check();
  await page.locator('#rows > .save, #rows noscript .save').getByRole('button', { name: 'Save ticks' }).click();
  assert.equal(await page.locator('tr.on.member').count(), 3);
  await family.locator('input[name=on_all]').uncheck();
  await page.locator('#rows noscript .save, #rows > .save').getByRole('button', { name: 'Save ticks' }).click();
  assert.equal(await page.locator('tr.on').count() - (await page.locator('.unseen tr.on').count()), 0);
});

test('what never moved and what is gone can be hidden', async () => {
  const page = await visit();
  await open(page, '/cp?box=sip1');
  await page.getByRole('link', { name: 'hide idle' }).click();
  await page.waitForURL((url) => url.searchParams.get('hide') === 'still');
  await untilLive(page);
  // A level that stands, and a counter at zero; a counter that counted once has moved.
  assert.deepEqual(await names(page, 'core'), ['bad_msg_hdr', 'err_requests', 'rcv_requests']);
  assert.equal(await row(page, 'dialog:active_dialogs').count(), 0);
  assert.equal(await page.locator('details[data-group=core] .acts').count(), 0, 'what acts on a whole group is not offered where it is not seen whole');
  // Searching among what is shown needs no server, and goes on without what is hidden.
  await page.getByRole('searchbox').fill('core:drop');
  await page.locator('#nothing').waitFor();
  await page.getByRole('searchbox').fill('');
  assert.ok(await page.getByText('Ticked, not seen yet').isVisible());
  await page.getByRole('link', { name: 'hide vanished' }).click();
  await page.waitForURL((url) => url.searchParams.get('hide') === 'still,gone');
  assert.equal(await page.getByText('Ticked, not seen yet').count(), 0);
  expectQuiet(page);
});

test('what a server has once per process is one row, which opens to the processes', async () => {
  const page = await visit();
  await open(page, '/cp?box=sip1');
  const family = page.locator('.family', { hasText: 'load-proc-*' });
  assert.equal(await page.locator('.fold').count(), 3);
  assert.match(await family.locator('.fold .val').innerText(), /93.*highest/s);
  assert.match(await family.locator('summary').innerText(), /3 processes/);
  const member = row(page, 'load:load-proc-4');
  assert.equal(await member.isVisible(), false);
  await family.locator('summary').focus();
  await page.keyboard.press('ArrowRight');
  await member.waitFor();
  assert.equal(await member.locator('small').innerText(), PROCESSES[4]);
  // Ticking the row ticks the pattern.
  const ticked = page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/ticks'));
  await family.locator('input[name=on_all]').check();
  assert.deepEqual((await ticked).postDataJSON(), { match: ['load:load-proc-*'], ticked: true });
  await page.locator('tr.member.on[data-name="load:load-proc-5"]').waitFor();
  // One that goes takes its fold along.
  await row(page, 'load:load-proc-5').locator('input').uncheck();
  assert.equal(await family.locator('input[name=on_all]').isChecked(), false);
  // A search opens what it finds.
  await page.getByRole('searchbox').fill('pkmem:4-*');
  await row(page, 'pkmem:4-used_size').waitFor();
  assert.equal(await row(page, 'pkmem:1-used_size').isVisible(), false);
  assert.ok(box.asked('ps') === 1 && mute.asked('ps') === 1, `asked ${box.asked('ps')} and ${mute.asked('ps')} times`);
  await page.getByRole('searchbox').fill('');
  statistics['load:load-proc-1'] = 99;
  await family.locator('.fold .val b').filter({ hasText: '99' }).waitFor();
  expectQuiet(page);
});

test('a server that does not say what its processes are is said so', async () => {
  const page = await visit();
  await open(page, '/cp?box=mute');
  const family = page.locator('.family', { hasText: 'load-proc-*' });
  await family.getByText('What each process is, is not known').waitFor();
  await family.locator('summary').click();
  assert.equal(await row(page, 'load:load-proc-4').locator('small').count(), 0);
  expectQuiet(page);
});

test('columns and how close rows stand are remembered', async () => {
  const page = await visit();
  await open(page, '/cp?box=sip1');
  const [course, meaning] = [row(page, 'core:rcv_requests').locator('.spark'), row(page, 'core:rcv_requests').locator('small')];
  assert.ok((await course.isVisible()) && (await meaning.isVisible()));
  const high = (await row(page, 'core:rcv_requests').boundingBox()).height;
  await page.locator('#view summary').click();
  await page.getByLabel('Course').uncheck();
  await page.getByLabel('Meaning').uncheck();
  await page.getByLabel('Compact').check();
  for (const again of [false, true]) {
    if (again) await open(page, '/cp?box=sip1');
    await course.waitFor({ state: 'hidden' });
    assert.ok(!(await meaning.isVisible()));
    assert.ok((await row(page, 'core:rcv_requests').boundingBox()).height < high);
  }
  await page.locator('#view summary').click();
  assert.equal(await page.getByLabel('Course').isChecked(), false);
  await page.getByLabel('Course').check();
  assert.ok(await course.isVisible());
  expectQuiet(page);
});

test('many rows are chosen by ranges and by keys, apart from their ticks', async () => {
  const page = await visit();
  await open(page, '/cp?box=sip1&match=core:');
  const ticked = page.locator('details[data-group=core] tr.on');
  const bar = page.getByRole('toolbar', { name: 'Chosen rows' });
  assert.equal(await bar.isVisible(), false);
  await page.getByRole('button', { name: 'Select' }).click();
  await row(page, 'core:bad_msg_hdr').locator('.val').click();
  await row(page, 'core:err_requests').locator('.val').click({ modifiers: ['Shift'] });
  await bar.getByText('3 chosen').waitFor();
  assert.equal(await ticked.count(), 0, 'choosing ticks nothing');
  // A check box chooses too while rows are chosen; the space bar presses it.
  await row(page, 'core:err_requests').locator('input').press('Space');
  await bar.getByText('2 chosen').waitFor();
  const words = 'core:bad_msg_hdr core:drop_requests';
  const leads = async (name) => new URL(await bar.getByRole('link', { name }).getAttribute('href'), page.url());
  assert.equal((await leads('Chart together')).searchParams.get('match'), words);
  assert.equal((await leads('Watch closely')).searchParams.get('every'), '200ms');
  await bar.getByRole('button', { name: 'Tick', exact: true }).click();
  await page.locator('tr.on[data-name="core:drop_requests"]').waitFor();
  assert.equal(await ticked.count(), 2);
  await bar.getByRole('button', { name: 'Untick' }).click();
  await page.locator('tr[data-name="core:drop_requests"]:not(.on)').waitFor();
  await page.keyboard.press('Escape');
  await bar.waitFor({ state: 'hidden' });
  assert.equal(await page.locator('.picked').count(), 0);
  // By keys alone: x begins.
  await row(page, 'core:rcv_requests').locator('input').focus();
  await page.keyboard.press('x');
  await bar.getByText('1 chosen').waitFor();
  await bar.getByRole('link', { name: 'Reset…' }).click();
  await page.getByRole('heading', { name: 'Set core:rcv_requests of sip1 to zero?' }).waitFor();
  expectQuiet(page);
});

test('a row is copied as its name and its value', async () => {
  const page = await visit();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: panel.origin });
  await open(page, '/cp?box=sip1&match=core:');
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await row(page, 'core:err_requests').locator('input').focus();
  await page.keyboard.press('c');
  await page.getByText('Copied: core:err_requests 50000').first().waitFor();
  assert.equal(await copied(), 'core:err_requests 50000');
  assert.equal(await page.evaluate(() => document.activeElement.value), 'core:err_requests', 'one stays where one was');
  await page.keyboard.press('x');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('x');
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.getByText('Copied 2 lines.').first().waitFor();
  assert.equal(await copied(), 'core:drop_requests 0\ncore:err_requests 50000');
  expectQuiet(page);
});

test('what changes glows, for those who like things to move', async () => {
  for (const [reducedMotion, glows] of [['no-preference', true], ['reduce', false]]) {
    const page = await visit({ reducedMotion });
    await open(page, '/cp?box=sip1');
    await page.locator('#rows.drawn[data-beat] tr.moved').first().waitFor();
    const animations = await row(page, 'core:rcv_requests').locator('.val b').evaluate((value) => getComputedStyle(value).animationName);
    assert.equal(/glow/.test(animations), glows, `${reducedMotion}: ${animations}`);
    expectQuiet(page);
    await page.context().close();
  }
});

test('heads stay in sight while their rows scroll', async () => {
  const page = await visit({ viewport: { width: 900, height: 500 } });
  await open(page, '/cp?box=sip1');
  const top = (selector) => page.locator(selector).evaluate((one) => one.getBoundingClientRect().top);
  await row(page, 'core:rcv_requests').evaluate((one) => scrollTo(0, one.getBoundingClientRect().top + scrollY - 130));
  const [header, summary, heads] = [await page.locator('header.head').evaluate((one) => one.getBoundingClientRect().bottom), await top('details[data-group=core] summary'), await top('details[data-group=core] thead')];
  assert.ok(Math.abs(summary - header) <= 1 && heads > summary && heads < 130, `${header} ${summary} ${heads}`);
  expectQuiet(page);
});

test('the table can be used by everybody, in every window', async () => {
  const page = await visit(FIRST);
  await open(page, '/cp?box=sip1&sort=-value');
  await page.locator('.opener summary').first().click();
  await page.getByRole('button', { name: 'Select' }).click();
  await row(page, 'core:err_requests').locator('.val').click();
  await page.locator('#view summary').click();
  await expectAccessibleEverywhere(page, 'the table, with rows chosen');
  expectQuiet(page);
});

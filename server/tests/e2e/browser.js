// Chromium, and what every test of a page does with it. A console error, a page error or a refused script fails the test.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

export const USER = 'operator';
export const PASSWORD = 'correct horse battery';

/** The longest that a page may take for what is waited for, in milliseconds. */
const LIMIT_MS = 60_000;

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function launch() {
  return chromium.launch({
    executablePath: process.env.TICKMARK_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page of its own session. `page.complaints` collects what the browser complains of; `expectQuiet` checks that it is nothing. */
export async function newPage(browser, panel, options = {}) {
  const context = await browser.newContext({ baseURL: panel.origin, locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
  context.setDefaultTimeout(LIMIT_MS);
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => {
    // The client is fetched ahead: without JavaScript it is never used, on a busy machine late. Both are as they must be.
    if (/preloaded .* but not used/.test(message.text())) return;
    // A warning too: that is how the client says that an island has no code.
    if (!['error', 'warning'].includes(message.type())) return;
    // Of what could not be loaded the text does not say what it was.
    const about = /Failed to load resource/.test(message.text()) ? ` (${message.location().url})` : '';
    page.complaints.push(`${message.type()}: ${message.text()}${about}`);
  });
  page.on('pageerror', (error) => page.complaints.push(`page error: ${error.message}`));
  return page;
}

export function expectQuiet(page) {
  assert.deepEqual(page.complaints, [], 'the browser complained');
}

/** Makes the first account by the setup link. */
export async function setUp(page, panel) {
  await page.goto(await panel.setupLink());
  await page.getByLabel('User').fill(USER);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByLabel('The password again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.waitForURL((url) => url.pathname === '/cp');
}

/** Signs in on the page where one is. */
export async function signIn(page, password = PASSWORD) {
  await page.getByLabel('User').fill(USER);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Waits until the islands of Realtime Statistics follow the box. */
export function untilLive(page) {
  return page.locator('#live [data-live]').filter({ hasText: /^live$/ }).waitFor();
}

/** What axe-core found, of these rules or of all. It fails where an element goes while it is looked at, as on a page that is live: then it looks again. */
async function ranAxe(page, rules) {
  // It need not load styles anew: that is for rules about turned screens, of which none is looked at.
  const how = { resultTypes: ['violations'], preload: false, ...(rules && { runOnly: rules }) };
  for (let again = 3; ; again -= 1) {
    try {
      return await page.evaluate((how) => globalThis.axe.run(document, how), how);
    } catch (error) {
      if (again === 0 || !/Cannot read properties of undefined/.test(error.message)) throw error;
    }
  }
}

/** No rule of axe-core may be broken, or none of these, and nothing may stick out to the right. */
export async function expectAccessible(page, rules = null) {
  // By evaluation, as the content policy rightly refuses a script element.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  const { violations } = await ranAxe(page, rules);
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.map(({ html }) => html).join('\n    ')}`);
  assert.deepEqual(told, [], `axe found fault with ${page.url()}`);
  await expectNothingSticksOut(page);
}

export async function expectNothingSticksOut(page) {
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(width[0] <= width[1], `${page.url()} is ${width[0]} px wide in a window of ${width[1]} px`);
}

/**
 * Shows pages as they are without JavaScript to what needs it to look at them: the client does nothing, and what is in `noscript` is
 * there.
 */
export async function withoutClient(page) {
  await page.route('**/assets/tickmark.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: 'export default async () => {}; export const hydrate = () => {};' }),
  );
  await page.route(/\/cp(\/(charts|overview|boxes|boxes\/[^/]+\/[^/]+|login|setup))?(\?|$)/, async (route) => {
    const response = await route.fetch({ maxRedirects: 0 });
    const body = (await response.text()).replaceAll('noscript>', 'div>');
    await route.fulfill({ response, body });
  });
}

/** Nothing that a selector finds may be cut off. */
export async function expectWhole(page, selector) {
  const cut = await page.locator(selector).evaluateAll((found) =>
    found.filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0).map((one) => one.textContent),
  );
  assert.deepEqual(cut, [], `cut off on ${page.url()} at ${page.viewportSize().width} px`);
}

/** Takes complaints away that were asked for, such as that of a refused request. */
export function expectComplaint(page, pattern) {
  assert.ok(page.complaints.some((complaint) => pattern.test(complaint)), `no complaint matches ${pattern}: ${page.complaints}`);
  page.complaints = page.complaints.filter((complaint) => !pattern.test(complaint));
}

/** Waits until a box has had `count` polls recorded, by the stream that pages follow too. */
export async function untilRecorded(page, box, count) {
  const cookies = await page.context().cookies();
  const leave = new AbortController();
  const limit = setTimeout(() => leave.abort(new Error(`${box} had not ${count} polls recorded in time`)), LIMIT_MS);
  const stream = await fetch(new URL(`/cp/events?box=${encodeURIComponent(box)}`, page.url()), {
    headers: { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') },
    signal: leave.signal,
  });
  assert.equal(stream.status, 200);
  let heard = '';
  for await (const piece of stream.body.pipeThrough(new TextDecoderStream())) {
    heard += piece;
    if (heard.split(/^event: ?recorded$/m).length > count) break;
  }
  clearTimeout(limit);
  leave.abort();
}

/** A number as a page shows it: thousands apart. */
export function number(text) {
  const digits = text.replace(/[^\d.-]/g, '');
  assert.notEqual(digits, '', `“${text}” is not a number`);
  return Number(digits);
}

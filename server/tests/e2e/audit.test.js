// What a browser's own audit asks of each page, and axe-core does not: what its head says, how it comes over the wire, that nothing shifts, that
// what is pressed is large enough, that nobody else is asked. Each page once, on a phone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAccessible, expectQuiet, newPage } from './browser.js';
import { startStage } from './stage.js';

const PAGES = [
  '/cp?box=edge',
  '/cp/charts?box=edge',
  '/cp/overview',
  '/cp/boxes/edge/core:rcv_requests',
  '/cp/boxes',
  '/cp/alerts',
  '/cp/derived',
  '/cp/notes',
  '/cp/sets?box=edge',
  '/cp/scripts',
  '/cp/users',
  '/cp/settings',
  '/cp/login',
];
/** Smaller answers gain nothing by being compressed. */
const SMALL_BYTES = 1400;
const TEXT = /^(text|application\/(javascript|json|wasm|manifest)|image\/svg)/;
/** On a phone the numbers above a chart may need a third line, which nothing keeps room for. */
const SHIFT_MAX = 0.015;

let stage;
before(async () => {
  stage = await startStage();
});
after(() => stage?.stop());

/** Opens a page as one who was never here, and answers what was fetched for it. */
async function open(path) {
  const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, reducedMotion: 'reduce' };
  const page = await newPage(stage.browser, stage.panel, path === '/cp/login' ? phone : { ...phone, storageState: stage.session });
  const answers = [];
  page.on('response', (answer) => answers.push(answer));
  page.every = [];
  page.on('console', (message) => page.every.push(message.text()));
  await page.addInitScript(() => {
    globalThis.shifted = [];
    const watch = new PerformanceObserver((list) => {
      for (const one of list.getEntries()) if (!one.hadRecentInput) globalThis.shifted.push([one.value, ...one.sources.map(({ node }) => node?.outerHTML?.slice(0, 120))]);
    });
    watch.observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(path);
  // Where the client has begun, what it changes by itself is there; on the pages with charts, when those in sight are drawn.
  await page.locator('#heard').waitFor({ state: 'attached' });
  const live = page.locator('#live [data-live]');
  if ((await live.count()) > 0) await live.filter({ hasText: /^live$/ }).waitFor();
  const figure = page.locator('figure[data-query]').first();
  if ((await figure.count()) > 0) await figure.locator('.plot > svg').waitFor();
  return { page, answers };
}

async function expectHead(page) {
  const head = await page.evaluate(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    return {
      doctype: document.doctype?.name,
      charset: document.characterSet,
      lang: document.documentElement.lang,
      titles: all('head > title').map((one) => one.textContent.trim()),
      headings: all('h1').length,
      viewport: all('meta[name=viewport]').map((one) => one.content),
      description: all('meta[name=description]').map((one) => one.content.trim()),
      icon: all('link[rel~=icon]').length,
      // Scripts that hold up the first paint, and sheets beyond our own.
      blocking: all('head script[src]:not([async], [defer], [type=module])').map((one) => one.src),
      sheets: all('link[rel=stylesheet]').map((one) => new URL(one.href).origin),
      unsized: all('img').filter((one) => !one.hasAttribute('width') || !one.hasAttribute('height')).map((one) => one.outerHTML.slice(0, 160)),
      opened: all('a[target=_blank]').filter((one) => !/noopener|noreferrer/.test(one.rel)).map((one) => one.href),
      here: location.origin,
    };
  });
  assert.equal(head.doctype, 'html');
  assert.equal(head.charset, 'UTF-8');
  assert.equal(head.lang, 'en');
  assert.equal(head.titles.length, 1);
  assert.ok(head.titles[0].length > 0);
  assert.equal(head.headings, 1, 'one heading says what the page is');
  assert.equal(head.viewport.length, 1);
  assert.doesNotMatch(head.viewport[0], /user-scalable=no|maximum-scale/, 'it can be enlarged');
  assert.equal(head.description.length, 1, 'a description');
  assert.ok(head.description[0].length > 0);
  assert.ok(head.icon > 0);
  assert.deepEqual(head.blocking, []);
  assert.deepEqual(head.sheets, [head.here], 'one sheet of our own');
  assert.deepEqual(head.unsized, [], 'each image says its size');
  assert.deepEqual(head.opened, []);
}

/** How the answers came: ours alone, compressed, kept where their name says what is in them, and with what browsers are to refuse. */
async function expectWire(answers, origin) {
  for (const answer of answers) {
    const url = new URL(answer.url());
    assert.equal(url.origin, origin, 'nobody else is asked');
    const headers = await answer.allHeaders();
    const told = `${url.pathname}: ${JSON.stringify(headers)}`;
    if (url.pathname === '/cp/events' || answer.status() >= 300) continue;
    assert.equal(headers['x-content-type-options'], 'nosniff', told);
    const type = headers['content-type'] ?? '';
    assert.notEqual(type, '', told);
    if (TEXT.test(type) && Number(headers['content-length'] ?? Infinity) > SMALL_BYTES && (await answer.body()).length > SMALL_BYTES) {
      assert.match(headers['content-encoding'] ?? '', /^(br|gzip|zstd)$/, told);
    }
    if (url.pathname.startsWith('/cp/assets/')) {
      assert.ok(headers.etag || /immutable/.test(headers['cache-control'] ?? ''), told);
      if (url.search) assert.match(headers['cache-control'], /max-age=31536000, immutable/, told);
    }
    if (type.startsWith('text/html')) {
      const policy = headers['content-security-policy'] ?? '';
      for (const rule of [/default-src 'self'|default-src 'none'/, /frame-ancestors 'none'/, /base-uri/, /form-action/]) assert.match(policy, rule, told);
      assert.doesNotMatch(policy, /script-src[^;]*'unsafe-inline'/, told);
      assert.match(headers['referrer-policy'] ?? '', /no-referrer|same-origin|strict-origin/, told);
    }
  }
}

for (const path of PAGES) {
  test(path, async () => {
    const { page, answers } = await open(path);
    await expectHead(page);
    await expectWire(answers, stage.panel.origin);
    const unused = page.every.filter((text) => /preloaded .* but not used/.test(text));
    assert.deepEqual(unused, [], 'what is fetched ahead is used');
    assert.deepEqual(page.every.filter((text) => /passive|\[Violation\]|deprecat/i.test(text)), []);
    // 24 px, or as much room around it. axe-core has this rule too, and leaves it out unless it is asked for.
    await expectAccessible(page, ['target-size']);
    const shifted = await page.evaluate(() => globalThis.shifted);
    const sum = shifted.reduce((sum, [value]) => sum + value, 0);
    assert.ok(sum <= SHIFT_MAX, `it shifts by ${sum}: ${JSON.stringify(shifted)}`);
    expectQuiet(page);
    await page.context().close();
  });
}

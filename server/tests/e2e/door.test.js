// Who gets in: nothing answers without a session but what must, and no other site can make a browser write.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, newPage, PASSWORD, setUp, USER } from './browser.js';
import { startPanel } from './processes.js';

let browser;
let panel;
let page;
let cookie;
before(async () => {
  [browser, panel] = await Promise.all([launch(), startPanel()]);
  page = await newPage(browser, panel);
  await setUp(page, panel);
  cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
});
after(() => Promise.all([browser?.close(), panel?.stop()]));

const ask = (path, options = {}) => fetch(new URL(path, panel.origin), { redirect: 'manual', ...options });
const form = (fields, headers = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  body: new URLSearchParams(fields).toString(),
});

test('the session cookie cannot be read by scripts, nor sent from other sites', async () => {
  const cookies = await page.context().cookies();
  assert.ok(cookies.length > 0);
  for (const { httpOnly, sameSite } of cookies) {
    assert.equal(httpOnly, true);
    assert.match(sameSite, /Lax|Strict/);
  }
});

test('without a session pages lead to the login, everything else answers 401', async () => {
  for (const path of ['/cp', '/cp/charts', '/cp/boxes']) {
    const response = await ask(path);
    assert.equal(response.status, 303, path);
    assert.match(response.headers.get('location'), /^\/cp\/login/, path);
  }
  for (const path of ['/cp/api/v1/boxes', '/cp/api/v1/me', '/cp/events', '/metrics', '/cp/api/v1/chart.svg?box=tickmark&name=x']) {
    assert.equal((await ask(path)).status, 401, path);
  }
  for (const path of ['/healthz', '/readyz', '/cp/login', '/cp/assets/tickmark.css', '/cp/assets/tickmark_bg.wasm']) {
    assert.equal((await ask(path)).status, 200, path);
  }
});

test('a page allows no inline script, no frame, and no other place', async () => {
  const policy = (await ask('/cp', { headers: { cookie } })).headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.match(policy, /form-action 'self'/);
  assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'/);
});

test('writes from another site are refused, as forms and as JSON', async () => {
  const ticks = async () => (await ask('/cp/api/v1/boxes/tickmark/ticks', { headers: { cookie } })).text();
  const before = await ticks();
  const fields = { box: 'tickmark', return: '/cp', tick: 'tickmark:' };
  for (const foreign of [{ origin: 'http://elsewhere.example' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]) {
    const posted = await ask('/cp/ticks', form(fields, { cookie, ...foreign }));
    assert.equal(posted.status, 403, JSON.stringify(foreign));
    const json = { method: 'POST', headers: { cookie, 'content-type': 'application/json', ...foreign }, body: '{"match":["tickmark:"]}' };
    assert.equal((await ask('/cp/api/v1/boxes/tickmark/ticks', json)).status, 403, JSON.stringify(foreign));
  }
  assert.equal(await ticks(), before);
  const own = await ask('/cp/ticks', form(fields, { cookie, origin: panel.origin }));
  assert.equal(own.status, 303);
  assert.notEqual(await ticks(), before);
});

test('a form sends nobody away', async () => {
  for (const target of ['https://elsewhere.example/cp', '//elsewhere.example', '/\\elsewhere.example', 'javascript:alert(1)']) {
    const response = await ask('/cp/theme', form({ theme: 'dark', return: target }, { cookie, origin: panel.origin }));
    const location = response.headers.get('location') ?? '/cp';
    assert.equal(new URL(location, panel.origin).origin, panel.origin, target);
  }
});

test('signing in makes a new session, and signing out ends it', async () => {
  const login = () => ask('/cp/login', form({ user: USER, password: PASSWORD, next: '/cp' }, { origin: panel.origin }));
  const [one, two] = [await login(), await login()].map((response) => response.headers.get('set-cookie').split(';')[0]);
  assert.notEqual(one, two);
  assert.equal((await ask('/cp/api/v1/me', { headers: { cookie: one } })).status, 200);
  await ask('/cp/logout', form({}, { cookie: one, origin: panel.origin }));
  assert.equal((await ask('/cp/api/v1/me', { headers: { cookie: one } })).status, 401);
  assert.equal((await ask('/cp/api/v1/me', { headers: { cookie: two } })).status, 200);
});

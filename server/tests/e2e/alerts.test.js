// Alerts in all their states: what fires, is silenced, looked after, waits; rules of the file and rules that look at what there is not;
// destinations that take messages and one that does not. With and without JavaScript, in both themes, from a phone to a desk.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { expectAccessible, expectComplaint, expectQuiet, expectWhole, launch, newPage, setUp, untilRecorded } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

const LEVEL = 'dialog:active_dialogs';

let browser;
let panel;
let box;
let hook;
let session;
before(async () => {
  hook = createServer((request, response) => response.writeHead(request.url === '/taken' ? 200 : 503).end('not now'));
  await new Promise((listening) => hook.listen(0, '127.0.0.1', listening));
  const at = `http://127.0.0.1:${hook.address().port}`;
  [browser, box] = await Promise.all([launch(), startFakeBox()]);
  panel = await startPanel({
    config: `
public_url = "https://panel.example.org"

[[box]]
name = "sip1"
kind = "opensips"
address = "${box.address}"
interval = "200ms"
ticks = ["${LEVEL}"]

[[derived]]
name = "twice"
formula = "2 * {${LEVEL}}"

[[destination]]
name = "ops"
kind = "webhook"
url = "${at}/taken"

[[alert]]
name = "calls_of_the_file"
formula = "{derived:twice}"
condition = { kind = "above", threshold = 4 }
severity = "critical"
text = "{value} calls on {box}, twice"
silences = ["weekly SAT,SUN 02:00 Europe/Berlin for 4h"]
`,
  });
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  const post = async (path, data) => {
    const response = await page.request.post(`/cp/api/v1/${path}`, { headers: { origin: panel.origin }, data });
    assert.ok(response.ok(), await response.text());
  };
  await post('destinations', { name: 'broken', kind: 'slack', secret: `${at}/refused` });
  const above = { formula: `{${LEVEL}}`, condition: { kind: 'above', threshold: 2 } };
  await post('alerts', { name: 'looked_after', ...above, severity: 'info', repeat: '4h' });
  await post('alerts', { name: 'silent', ...above, silences: ['cron * * * * * UTC for 1h'] });
  await post('alerts', { name: 'waits', ...above, hold: '20d' });
  await post('alerts', { name: 'gone', formula: '{tm:nothing} / {tm:there}', condition: { kind: 'no_data' }, boxes: { names: ['sip1', 'sip9'] } });
  await untilRecorded(page, 'sip1', 3);
  for (;;) {
    const firing = await (await page.request.get('/cp/api/v1/alerts/firing')).json();
    if (firing.items.length >= 4 && firing.pending.length === 1) break;
    await untilRecorded(page, 'sip1', 1);
  }
  await post('alerts/looked_after/acknowledge', {});
  await post('scripts', { name: 'tally', source: 'notify("warning", "two of them")' });
  await post('scripts/tally/run', {});
  session = await page.context().storageState();
  await page.context().close();
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop(), hook?.close()]));

const open = async (path, options = {}) => {
  const page = await newPage(browser, panel, { storageState: session, reducedMotion: 'reduce', ...options });
  await page.goto(path);
  return page;
};

const row = (page, name) => page.locator('tr').filter({ has: page.locator('b', { hasText: new RegExp(`^${name}$`) }) });

for (const javaScriptEnabled of [true, false]) {
  test(`a rule is tried on the last week, written, silenced and removed ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
    const name = javaScriptEnabled ? 'with_script' : 'without_script';
    const page = await open('/cp/alerts', { javaScriptEnabled });
    await row(page, 'calls_of_the_file').first().getByText('nobody is told until').or(row(page, 'calls_of_the_file').first()).first().waitFor();
    await row(page, 'gone').filter({ hasText: 'not on sip1: there is no statistic {tm:nothing}' }).waitFor();
    await row(page, 'broken').filter({ hasText: 'fails: tried' }).waitFor();
    await row(page, 'looked_after').first().getByText('operator looks after it').waitFor();
    await page.getByLabel('Name', { exact: true }).first().fill(name);
    await page.getByLabel('Formula').fill('{derived:twice}');
    await page.getByLabel('Bound', { exact: true }).fill('4');
    await page.getByLabel('Nobody is told', { exact: true }).fill('weekly SUN 02:00');
    await page.getByRole('button', { name: 'See when it would have fired' }).click();
    await page.getByText('does not say for how long').waitFor();
    expectComplaint(page, /422/);
    await page.getByLabel('Nobody is told', { exact: true }).fill('weekly SUN 02:00 Europe/Berlin for 4h');
    await page.getByLabel('Look back on').selectOption('sip1');
    await page.getByRole('button', { name: 'See when it would have fired' }).click();
    await page.getByText('In the last week it would have fired once on sip1').waitFor();
    await page.locator('.week svg').waitFor();
    await page.getByRole('button', { name: 'Add', exact: true }).first().click();
    await page.getByText(`${name} is looked at now`).waitFor();
    await row(page, name).first().getByText('nobody is told weekly SUN 02:00 Europe/Berlin for 4h').waitFor();
    await page.getByRole('button', { name: `Remove ${name}` }).click();
    await page.getByText(`${name} is removed.`).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Remove calls_of_the_file' }).count(), 0);
    expectQuiet(page);
    await page.context().close();
  });
}

test('what fires is listed on every page', async () => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await open('/cp/boxes', { javaScriptEnabled, viewport: { width: 360, height: 800 } });
    await page.getByRole('button', { name: /alerts fire, some of them critical/ }).click();
    const list = page.getByRole('dialog', { name: /alerts fire, some of them critical/ });
    await list.getByText('calls_of_the_file on sip1').waitFor();
    if (javaScriptEnabled) await expectAccessible(page);
    await list.getByRole('link', { name: 'All alerts' }).click();
    await page.getByRole('heading', { name: 'Firing (4)' }).waitFor();
    expectQuiet(page);
    await page.context().close();
  }
});

test('all of it fits, is read aloud, and stands in both themes', async () => {
  for (const [colorScheme, width] of [['light', 360], ['light', 1280], ['dark', 360], ['dark', 1280]]) {
    for (const path of ['/cp/alerts', '/cp/alerts?edit=silent', `/cp/boxes/sip1/${LEVEL}`, `/cp/charts?box=sip1`]) {
      const page = await open(path, { colorScheme, viewport: { width, height: 800 } });
      if (path.startsWith('/cp/alerts')) {
        await page.getByText('[warning] notice: two of them').first().waitFor();
        await expectWhole(page, '.btn, .ghost, .severity, h2');
      } else {
        await page.locator('svg[aria-label*="calls_of_the_file fired"]').first().waitFor();
      }
      await expectAccessible(page);
      expectQuiet(page);
      await page.context().close();
    }
  }
});

// A hostile box in a real browser: its names are seen as text, ticked, charted and exported as they are, and nothing of it runs.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { expectAccessible, expectQuiet, launch, newPage, setUp, untilLive, untilRecorded } from './browser.js';
import { startPanel } from './processes.js';

const NAMES = [
  'script:<img src=x onerror="globalThis.ran = 1">',
  '<script>globalThis.ran = 1</script>:x',
  'script:</code></th></tr></table><svg onload="globalThis.ran = 1">',
  'script:" onmouseover="globalThis.ran = 1" autofocus onfocus="globalThis.ran = 1',
  'script:javascript:globalThis.ran=1',
  "=cmd|' /C calc'!A0:x",
  '@SUM(1+1):x',
  'script:&amp;&lt;%3Cb%3E',
  'script:cr\rlf\ncrlf\r\nend',
  'script:x\n\nevent: box\ndata: {}\n\n',
  'script:\u001b[31mred\u0007\u009b2J',
  'script:\u202egnp.exe',
  'script:*',
  '*',
  ' script: spaces ',
  `long:${'x'.repeat(10_000)}`,
  `long:${'<'.repeat(10_000)}`,
  `long:${'"'.repeat(10_000)}`,
  `long:${'é'.repeat(5_000)}`,
];
/** What acts without being seen. */
const UNSEEN = /[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/u;

/** A box that has these statistics, each with its place as value; `core:timestamp` makes it an OpenSIPS that runs. */
async function startBox(names) {
  const statistics = Object.fromEntries([['core:timestamp', 100], ...names.map((name, place) => [name, place + 1])]);
  const results = {
    get_statistics: statistics,
    list_statistics: Object.fromEntries(names.map((name) => [name, 'non-incremental'])),
    version: { Server: '<b>OpenSIPS</b> (4.0.1)' },
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const { method, id } = JSON.parse(body);
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ jsonrpc: '2.0', result: results[method], id }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `http://127.0.0.1:${server.address().port}/mi`, stop: () => server.close().closeAllConnections() };
}

let browser;
let box;
before(async () => {
  [browser, box] = await Promise.all([launch(), startBox(NAMES)]);
});
after(() => Promise.all([browser?.close(), box?.stop()]));

for (const javaScriptEnabled of [true, false]) {
  describe(javaScriptEnabled ? 'a hostile box, with JavaScript' : 'a hostile box, without JavaScript', () => {
    let panel;
    let page;
    before(async () => {
      panel = await startPanel({ config: `[[box]]\nname = "bad"\nkind = "opensips"\naddress = "${box.address}"\n` });
      page = await newPage(browser, panel, { javaScriptEnabled });
      await setUp(page, panel);
    });
    after(() => panel?.stop());

    const rows = () => page.locator('#rows tr[data-name]');
    const boxes = () => page.locator('#rows input[name=on]');
    const values = (found) => found.evaluateAll((inputs) => inputs.map((input) => input.value));
    const open = async (path) => {
      await page.goto(path);
      if (javaScriptEnabled) await untilLive(page);
    };
    const ran = () => page.evaluate(() => globalThis.ran);
    // With JavaScript each check box writes at once; without, all wait for the button.
    const saved = async (act) => {
      if (!javaScriptEnabled) return act();
      const [answer] = await Promise.all([page.waitForResponse((response) => response.url().includes('/ticks/')), act()]);
      return assert.equal(answer.status(), 204);
    };

    test('its names are text, shortened and with what acts unseen made visible', async () => {
      await page.goto('/cp?box=bad');
      await page.getByRole('button', { name: 'Refresh Statistics Values' }).click();
      await rows().first().waitFor();
      await open('/cp?box=bad');
      assert.deepEqual((await values(boxes())).sort(), [...NAMES, 'core:timestamp'].sort());
      const shown = await page.locator('#rows tr[data-name] .name > code').allInnerTexts();
      assert.deepEqual(shown.filter((name) => UNSEEN.test(name) || name.length > 120), []);
      assert.equal(await page.locator('#rows details.whole').count(), 4);
      await page.locator('#rows details.whole summary').first().click();
      assert.equal((await page.locator('#rows details.whole[open] code').innerText()).length, 10_005);
      assert.equal(await ran(), undefined);
      if (javaScriptEnabled) await expectAccessible(page);
      expectQuiet(page);
    });

    test('each is ticked as itself alone', async () => {
      await open('/cp?box=bad');
      for (const [place, name] of (await values(boxes())).entries()) {
        if (!NAMES.includes(name)) continue;
        await saved(() => boxes().nth(place).press('Space'));
      }
      if (!javaScriptEnabled) {
        await page.getByRole('button', { name: 'Save ticks' }).locator('visible=true').click();
        await page.waitForURL((url) => url.pathname === '/cp');
      }
      await open('/cp?box=bad&show=recorded');
      assert.deepEqual((await values(boxes())).sort(), [...NAMES].sort());
      assert.equal(await ran(), undefined);
      expectQuiet(page);
    });

    test('each has its chart and its export', async () => {
      await untilRecorded(page, 'bad', 2);
      await open('/cp?box=bad&show=recorded');
      const links = await page.locator('#rows .act a').evaluateAll((found) => found.map((link) => link.href));
      const names = await values(boxes());
      assert.equal(links.length, NAMES.length);
      for (const [place, name] of names.entries()) {
        await page.goto(links[place]);
        const figure = page.locator('figure');
        assert.equal(await figure.count(), 1, JSON.stringify(name).slice(0, 100));
        if (javaScriptEnabled) {
          await figure.locator('.plot svg').waitFor();
          assert.equal(await figure.locator('.chart-error').count(), 0, await figure.innerText());
        } else {
          assert.match(await (await page.request.get(await figure.locator('img').getAttribute('src'))).text(), /<(polyline|path|circle)/);
        }
        const csv = await page.request.get(await page.getByRole('link', { name: /^CSV/ }).getAttribute('href'));
        assert.equal(csv.status(), 200);
        const [, cell, value] = (await csv.text()).match(/Z,bad,("(?:[^"]|"")*"|[^",\n]*),([^,\n]*)\n/);
        const read = cell.replace(/^"|"$/g, '').replaceAll('""', '"');
        assert.doesNotMatch(read, /^[=+\-@\t\r\n]/);
        assert.equal(read.replace(/^'/, ''), name);
        assert.equal(Number(value), NAMES.indexOf(name) + 1);
      }
      await page.goto('/cp/charts?box=bad');
      assert.equal(await page.locator('figure').count(), NAMES.length);
      assert.equal(await ran(), undefined);
      if (javaScriptEnabled) await expectAccessible(page);
      expectQuiet(page);
    });

    test('the search finds them, and each is unticked', async () => {
      await open('/cp?box=bad');
      const search = page.getByRole('searchbox', { name: 'Find statistics' });
      await search.fill('onerror');
      await search.press('Enter');
      if (!javaScriptEnabled) await page.waitForURL((url) => url.searchParams.get('match') === 'onerror');
      await page.locator('#rows tr[data-name="core:timestamp"]').waitFor({ state: 'hidden' });
      assert.equal(await rows().locator('visible=true').count(), 1);
      await open('/cp?box=bad&show=recorded');
      const count = await boxes().count();
      for (let place = 0; place < count; place += 1) {
        await saved(() => boxes().nth(place).press('Space'));
      }
      if (!javaScriptEnabled) {
        await page.getByRole('button', { name: 'Save ticks' }).locator('visible=true').click();
        await page.waitForURL((url) => url.pathname === '/cp');
      }
      await page.goto('/cp?box=bad&show=recorded');
      assert.equal(await boxes().count(), 0);
      assert.equal(await ran(), undefined);
      expectQuiet(page);
    });
  });
}

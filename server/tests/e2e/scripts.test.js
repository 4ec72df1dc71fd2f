// Scripts: one is added with a click, another is written, tried, put right, run, looked at in an older version and removed; with and without
// JavaScript, in both themes, from a phone to a desk.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAccessible, expectComplaint, expectQuiet, expectWhole, launch, newPage, setUp } from './browser.js';
import { startPanel } from './processes.js';

let browser;
let panel;
let session;
before(async () => {
  [browser, panel] = await Promise.all([launch(), startPanel({})]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  session = await page.context().storageState();
  await page.context().close();
});
after(() => Promise.all([browser?.close(), panel?.stop()]));

const open = async (path, options = {}) => {
  const page = await newPage(browser, panel, { storageState: session, reducedMotion: 'reduce', ...options });
  await page.goto(path);
  return page;
};

for (const javaScriptEnabled of [true, false]) {
  test(`a script from its first line to its end, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
    const name = javaScriptEnabled ? 'with' : 'without';
    const page = await open('/cp/scripts', { javaScriptEnabled });
    await page.getByRole('link', { name: 'New script' }).click();
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Runs').fill('every 1h');
    const source = page.getByRole('textbox', { name: 'Script' });
    await source.fill('let a = 1;\n\tlet b = ;');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText("Line 2, column 10: Unexpected ';'.").waitFor();
    expectComplaint(page, /422/);
    assert.equal(await page.locator('.where b').first().innerText(), '    2  \tlet b = ;\n');
    await source.fill('for i in 0..3 { update_stat("tried:times", +1); }\nprint(`</textarea> ${stat("tried:times")}`);');
    await page.getByRole('button', { name: 'Dry run' }).click();
    await page.getByRole('heading', { name: 'The dry run came to its end' }).waitFor();
    assert.match(await page.locator('.changes').innerText(), /update_stat tried:times: (–|3) → (3|6)/);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(`${name} is saved.`).waitFor();
    await page.getByRole('button', { name: 'Save and run' }).click();
    await page.getByRole('heading', { name: 'The run came to its end' }).waitFor();
    assert.match(await page.locator('.result .output').innerText(), /^<\/textarea> [36]\n$/);
    await source.fill('1 / 0');
    await page.getByRole('button', { name: 'Save and run' }).click();
    await page.getByText('Line 1, column 3: Division by zero: 1 / 0.').first().waitFor();
    await page.getByRole('link', { name: 'Version 1' }).click();
    await page.getByText('This is version 1.').waitFor();
    assert.match(await source.inputValue(), /^for i in 0\.\.3 /);
    await page.getByRole('link', { name: 'Remove…' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText(`${name} is removed.`).waitFor();
    expectQuiet(page);
    await page.context().close();
  });
}

test('one that is ready is added with a click, and everything fits in both themes', async () => {
  const page = await open('/cp/scripts');
  await page.getByRole('button', { name: 'Add call_durations' }).click();
  await page.getByText('call_durations is added.').waitFor();
  await page.goto('/cp/scripts');
  await page.getByRole('button', { name: 'Run call_durations' }).click();
  await page.getByText('call_durations came to its end.').waitFor();
  expectQuiet(page);
  await page.context().close();
  for (const [colorScheme, width] of [['light', 320], ['light', 1280], ['dark', 360], ['dark', 1280]]) {
    for (const path of ['/cp/scripts', '/cp/scripts?new=yes', '/cp/scripts/call_durations', '/cp/scripts/call_durations?remove=yes']) {
      const page = await open(path, { colorScheme, viewport: { width, height: 800 } });
      await expectAccessible(page);
      await expectWhole(page, '.btn, .ghost, .state-word, .ready b, h1');
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${path} at ${width}`);
      expectQuiet(page);
      await page.context().close();
    }
  }
});

// The main job from end to end, as a newcomer does it, with JavaScript and without: set up, add a box, tick, watch, chart.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectQuiet, launch, newPage, number, setUp, signIn, untilLive, untilRecorded } from './browser.js';
import { startKamailio, startPanel } from './processes.js';

const NAME = 'core:rcv_requests';
const BOX = 'kamailio1';
/** What a Kamailio of the tests answers and the catalogue cannot explain; a name that it must learn is not to be put here. */
const UNKNOWN = [];
const REALTIME = `/cp?box=${BOX}`;

let browser;
let kamailio;
before(async () => {
  [browser, kamailio] = await Promise.all([launch(), startKamailio()]);
});
after(() => Promise.all([browser?.close(), kamailio?.stop()]));

for (const javaScriptEnabled of [true, false]) {
  describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    let panel;
    let page;
    before(async () => {
      panel = await startPanel();
      page = await newPage(browser, panel, { javaScriptEnabled });
    });
    after(() => panel?.stop());

    const row = () => page.locator(`tr[data-name="${NAME}"]`);
    const box = () => page.getByRole('checkbox', { name: `record ${NAME}`, exact: true });
    const refresh = () => page.getByRole('button', { name: 'Refresh Statistics Values' });
    const open = async () => {
      await page.goto(REALTIME);
      if (javaScriptEnabled) await untilLive(page);
    };

    test('the setup link makes the first account, once', async () => {
      const link = await panel.setupLink();
      await setUp(page, panel);
      // A newcomer sees the panel's own statistics at once.
      await page.locator('tr[data-name]').first().waitFor();
      const other = await newPage(browser, panel, { javaScriptEnabled });
      await other.goto(link);
      assert.equal(await other.getByRole('button', { name: 'Make the account' }).count(), 0);
      await other.context().close();
      expectQuiet(page);
    });

    test('the page finds out what an address is, and adds it', async () => {
      await page.goto('/cp/boxes');
      await page.getByLabel('Address').fill(kamailio.address);
      await page.getByRole('button', { name: 'Find out' }).click();
      await page.locator('#probe').getByText(/Kamailio/).first().waitFor();
      await page.getByLabel('Name', { exact: true }).fill(BOX);
      await page.getByLabel('Asked every').fill('500ms');
      await page.getByRole('button', { name: 'Add box' }).click();
      await page.waitForURL((url) => url.pathname === '/cp' && url.searchParams.get('box') === BOX);
      await page.getByText(`${BOX} was added`).waitFor();
      await page.goto('/cp/boxes');
      await page.locator(`tr[data-box="${BOX}"]`).waitFor();
      expectQuiet(page);
    });

    test('the catalogue knows every statistic that it names', async () => {
      await page.goto(REALTIME);
      // One poll now: the page must not depend on when the first one was due.
      await refresh().click();
      await row().waitFor();
      const { statistics } = await (await page.request.get(`/cp/api/v1/boxes/${BOX}/statistics`)).json();
      assert.ok(statistics.length > 100, `${statistics.length} statistics`);
      assert.deepEqual(statistics.filter(({ description }) => !description).map(({ name }) => name), UNKNOWN);
      expectQuiet(page);
    });

    test('a statistic is ticked', async () => {
      await page.goto(REALTIME);
      // One poll now: the page must not depend on when the first one was due.
      await refresh().click();
      await row().waitFor();
      if (javaScriptEnabled) await untilLive(page);
      assert.equal(await box().isChecked(), false);
      if (javaScriptEnabled) {
        const saved = page.waitForResponse((response) => response.request().method() === 'PUT' && response.url().includes('/ticks/'));
        await box().check();
        assert.equal((await saved).status(), 204);
      } else {
        await box().check();
        await page.getByRole('button', { name: 'Save ticks' }).locator('visible=true').click();
        await page.waitForURL((url) => url.pathname === '/cp');
      }
      assert.equal(await box().isChecked(), true);
      expectQuiet(page);
    });

    test('its value moves', async () => {
      await open();
      const value = row().locator('.val b');
      const first = number(await value.textContent());
      if (javaScriptEnabled) {
        await page.waitForFunction(
          ([name, text]) => document.querySelector(`tr[data-name="${name}"] .val b`).textContent !== text,
          [NAME, await value.textContent()],
        );
      } else {
        // Under traffic a few polls suffice; each click is one.
        for (let polls = 0; polls < 20 && number(await value.textContent()) === first; polls += 1) await refresh().click();
      }
      assert.ok(number(await value.textContent()) > first);
      expectQuiet(page);
    });

    test('a reload shows the tick, and the chart from the second sample on', async () => {
      await untilRecorded(page, BOX, 2);
      await open();
      assert.equal(await box().isChecked(), true);
      await page.getByRole('link', { name: `chart of ${NAME}`, exact: true }).click();
      await page.getByRole('heading', { name: NAME }).waitFor();
      const figure = page.locator(`figure[data-name="${NAME}"]`);
      if (javaScriptEnabled) {
        await figure.locator('svg polyline, svg path').first().waitFor({ state: 'attached' });
      } else {
        const source = await figure.locator('img').getAttribute('src');
        const picture = await page.request.get(source);
        assert.equal(picture.headers()['content-type'].split(';')[0], 'image/svg+xml');
        assert.match(await picture.text(), /<(polyline|path)/);
        await figure.locator('img').scrollIntoViewIfNeeded();
      }
      expectQuiet(page);
    });

    test('the search shows a group, or says that nothing matches', async () => {
      await open();
      const search = page.getByRole('searchbox', { name: 'Find statistics' });
      const rows = page.locator('tr[data-name]').locator('visible=true');
      const all = await rows.count();
      const find = async (words) => {
        await search.fill(words);
        await search.press('Enter');
        if (!javaScriptEnabled) await page.waitForURL((url) => url.searchParams.get('match') === words);
      };
      await find('dialog:');
      await page.locator('tr[data-name="core:rcv_requests"]').waitFor({ state: 'hidden' });
      const names = await rows.evaluateAll((found) => found.map((one) => one.dataset.name));
      assert.ok(names.length > 0 && names.length < all, `${names.length} of ${all}`);
      assert.deepEqual(names.filter((name) => !name.startsWith('dialog:')), []);
      await find('there-is-no-such-name');
      await page.getByText(/Nothing (on .* )?matches/).locator('visible=true').first().waitFor();
      expectQuiet(page);
    });

    test('a whole search is ticked, and stands as a pattern', async () => {
      await page.goto(`${REALTIME}&match=registrar:`);
      const done = page.waitForResponse((response) => /ticks/.test(response.url()) && response.request().method() === 'POST');
      await page.getByRole('button', { name: /^Tick/ }).locator('visible=true').first().click();
      assert.ok((await done).status() < 400);
      await page.goto(`${REALTIME}&match=registrar:`);
      const boxes = page.getByRole('checkbox', { name: /^record registrar:/ });
      assert.ok((await boxes.count()) > 0);
      for (const one of await boxes.all()) assert.equal(await one.isChecked(), true);
      expectQuiet(page);
    });

    test('a statistic is unticked', async () => {
      await open();
      if (javaScriptEnabled) {
        const saved = page.waitForResponse((response) => response.request().method() === 'DELETE');
        await box().uncheck();
        assert.equal((await saved).status(), 204);
      } else {
        await box().uncheck();
        await page.getByRole('button', { name: 'Save ticks' }).locator('visible=true').click();
        await page.waitForURL((url) => url.pathname === '/cp');
      }
      await open();
      assert.equal(await box().isChecked(), false);
      expectQuiet(page);
    });

    test('the theme is kept', async () => {
      await page.goto('/cp');
      await page.getByRole('button', { name: 'Light or dark' }).click();
      await page.getByRole('button', { name: 'Dark', exact: true }).click();
      await page.locator('html[data-theme="dark"]').waitFor();
      await page.goto('/cp/charts');
      await page.locator('html[data-theme="dark"]').waitFor();
      expectQuiet(page);
    });

    if (javaScriptEnabled) {
      test('the keyboard does it all', async () => {
        await open();
        await page.keyboard.press('/');
        assert.equal(await page.evaluate(() => document.activeElement.getAttribute('type')), 'search');
        await page.keyboard.type('dialog:');
        await page.locator('tr[data-name="core:rcv_requests"]').waitFor({ state: 'hidden' });
        await page.keyboard.press('ArrowDown');
        const label = await page.evaluate(() => document.activeElement.getAttribute('aria-label'));
        assert.match(label, /^record dialog:/);
        const saved = page.waitForResponse((response) => response.request().method() === 'PUT');
        await page.keyboard.press('Space');
        assert.equal((await saved).status(), 204);
        await page.keyboard.press('?');
        await page.getByRole('dialog', { name: 'Help' }).waitFor();
        await page.keyboard.press('Escape');
        await page.getByRole('dialog', { name: 'Help' }).waitFor({ state: 'hidden' });
        expectQuiet(page);
      });
    }

    test('a box is paused and resumed', async () => {
      await page.goto('/cp/boxes');
      const actions = page.locator(`tr[data-box="${BOX}"]`);
      await actions.getByRole('button', { name: /^Pause/ }).click();
      await actions.getByRole('button', { name: /^Resume/ }).click();
      await actions.getByRole('button', { name: /^Pause/ }).waitFor();
      expectQuiet(page);
    });

    test('a box is removed only after a choice about its history', async () => {
      await page.goto('/cp/boxes');
      await page.locator(`tr[data-box="${BOX}"]`).getByRole('link', { name: /^Remove/ }).click();
      await page.getByRole('heading', { name: `Remove ${BOX}?` }).waitFor();
      await page.getByRole('button', { name: 'Remove and delete its history' }).click();
      await page.locator(`tr[data-box="${BOX}"]`).waitFor({ state: 'detached' });
      await page.locator('tr[data-box="tickmark"]').waitFor();
      expectQuiet(page);
    });

    test('signing out and in; a wrong password is said to be wrong', async () => {
      await page.goto('/cp/charts');
      await page.getByRole('button', { name: /^Account/ }).click();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.goto('/cp/charts');
      await page.waitForURL((url) => url.pathname === '/cp/login');
      await signIn(page, 'not the password');
      await page.getByRole('alert').waitFor();
      // The refusal itself is what the browser may complain of here.
      page.complaints = page.complaints.filter((complaint) => !/status of 4\d\d/.test(complaint));
      await signIn(page);
      await page.waitForURL((url) => url.pathname === '/cp/charts');
      expectQuiet(page);
    });
  });
}

// What opens, fails or waits within a page: accessible in both themes, on a desk and on a phone, with words that help.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectAccessible, newPage, setUp, signIn, untilLive, withoutClient } from './browser.js';
import { startPanel } from './processes.js';
import { startStage } from './stage.js';
import { FIRST, expectAccessibleEverywhere } from './windows.js';

let stage;
before(async () => {
  stage = await startStage();
});
after(() => stage?.stop());

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

/** Each opens a state from a page, and waits until it is there. Pages of few rows: the others are looked at by themselves. */
const STATES = {
  'the help': async (page) => {
    await page.goto('/cp?box=edge&match=dialog:');
    await page.getByRole('button', { name: /^Help/ }).click();
    await page.getByRole('dialog', { name: 'Help' }).waitFor();
  },
  'light or dark': async (page) => {
    await page.goto('/cp/charts');
    await press(page, 'Light or dark');
    await page.getByRole('button', { name: 'As the system' }).waitFor();
  },
  'the account': async (page) => {
    await page.goto('/cp/boxes');
    await page.getByRole('button', { name: /^Account/ }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
  },
  'a folded group': async (page) => {
    await page.goto('/cp?box=edge&match=dialog:');
    await page.locator('#rows summary').first().click();
    await page.locator('#rows details:not([open])').first().waitFor();
  },
  'a search without a match': async (page) => {
    await page.goto('/cp?box=edge');
    await untilLive(page);
    await page.getByRole('searchbox').fill('there-is-no-such-name');
    await page.getByText('Nothing matches.').first().waitFor();
  },
  'values that stand still': async (page) => {
    await page.goto('/cp?box=edge&match=dialog:');
    await untilLive(page);
    await press(page, 'Pause');
    await press(page, 'Resume');
    await press(page, 'Pause');
    await page.getByText('stopped here').waitFor();
  },
  'a tick that was saved': async (page) => {
    await page.goto('/cp?box=byhand&match=dialog:');
    await untilLive(page);
    await page.getByRole('checkbox').first().check();
    await page.locator('#toast.shown').getByText('is recorded from its present value on').waitFor();
    await page.getByRole('checkbox').first().uncheck();
    await page.locator('#toast.shown').getByText('is no longer recorded').waitFor();
  },
  'a tick that was not saved': async (page) => {
    await page.goto('/cp?box=byhand&match=dialog:');
    await untilLive(page);
    await page.route('**/ticks/**', (route) => route.fulfill({ status: 500, body: '{"detail":"the disk is full"}' }));
    await page.getByRole('checkbox').first().click();
    await page.locator('#toast.shown.bad').getByText('could not be ticked: The disk is full.').waitFor();
    assert.equal(await page.getByRole('checkbox').first().isChecked(), false);
  },
  'the kind of a statistic': async (page) => {
    await page.goto('/cp/charts?box=edge');
    await page.locator('details.kind summary').first().click();
    await page.getByText('What is it?').first().waitFor();
  },
  'the value in a chart': async (page) => {
    await page.goto('/cp/charts?box=edge&match=core:rcv_requests');
    await page.locator('figure svg').waitFor();
    await page.locator('.plot').focus();
    await page.keyboard.press('ArrowLeft');
    await page.locator('.readout').waitFor();
  },
  'a chart that cannot be loaded': async (page) => {
    await page.route('**/series?**', (route) => route.fulfill({ status: 500, body: '{"detail":"the database did not do it"}' }));
    await page.goto('/cp/charts?box=edge&match=core:rcv_requests');
    await page.getByText('The database did not do it. It is tried again').waitFor();
  },
  'an address where nothing answers': async (page) => {
    await page.goto('/cp/boxes');
    await page.getByLabel('Address').fill('http://127.0.0.1:1/mi');
    await press(page, 'Find out');
    await page.locator('#probe').getByText('No box found there').waitFor();
  },
  'an address where a box answers': async (page) => {
    await page.goto('/cp/boxes');
    await page.getByLabel('Address').fill(stage.kamailio.address);
    await press(page, 'Find out');
    await page.locator('#probe').getByText('Add box').waitFor();
  },
  'a form that is wrong': async (page) => {
    await page.goto('/cp/boxes');
    await page.getByLabel('Address').fill('ftp://somewhere');
    await page.getByLabel('Name', { exact: true }).fill('1 box');
    await page.getByLabel('Asked every').fill('often');
    await press(page, 'Add box');
    await page.locator('#e-name').waitFor();
    // All that is wrong is said at once, and one stands where to begin.
    assert.equal(await page.locator('.problem').count(), 3);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'f-address');
  },
  'user, password and the lines to copy': async (page) => {
    await page.goto('/cp/boxes?edit=byhand');
    for (const summary of await page.locator('main summary').all()) await summary.click();
  },
  'a form sent where nothing takes it': async (page) => {
    await page.goto('/cp/boxes');
    await page.evaluate(() => {
      const form = document.querySelector('#box-form');
      form.action = '/cp/charts';
      form.noValidate = true;
      form.submit();
    });
    await page.getByRole('heading', { name: 'Nothing to open here' }).waitFor();
  },
};

/** Said for a while only: each window has it said anew. */
const FLEETING = ['a tick that was saved', 'a tick that was not saved'];

for (const [state, reach] of Object.entries(STATES)) {
  test(state, async () => {
    const page = await newPage(stage.browser, stage.panel, { ...FIRST, storageState: stage.session });
    await reach(page);
    await expectAccessibleEverywhere(page, state, { again: FLEETING.includes(state) ? reach : null, opened: true });
    await page.context().close();
  });
}

test('without JavaScript: every page, and what its forms answer', async () => {
  const page = await newPage(stage.browser, stage.panel, { ...FIRST, storageState: stage.session });
  await withoutClient(page);
  const look = (what) => expectAccessibleEverywhere(page, `without JavaScript, ${what}`, { opened: true });
  for (const path of ['/cp?box=byhand', '/cp?box=byhand&match=core:', '/cp?box=gone', '/cp/charts', '/cp/boxes']) {
    await page.goto(path);
    await look(path);
  }
  await page.goto('/cp?box=byhand');
  await page.getByRole('button', { name: 'Save ticks' }).locator('visible=true').click();
  await page.getByText(/recorded now/).waitFor();
  await look('ticks were saved');
  await page.goto('/cp/boxes');
  await page.getByLabel('Address').fill('ftp://somewhere');
  await press(page, 'Add box');
  await page.locator('#e-address').waitFor();
  await look('an address that is wrong');
  await page.getByLabel('Address').fill(stage.kamailio.address);
  await page.getByText('User and password').click();
  await page.getByLabel('User', { exact: true }).fill('panel');
  await page.getByLabel('Password').fill('some password');
  await press(page, 'Find out');
  // A page never holds a password: it says that it has to be typed again.
  await page.locator('#probe').getByText('Found').waitFor();
  await page.locator('#f-password:focus').waitFor();
  await page.locator('#e-password').getByText('Type the password again').waitFor();
  await look('an address where a box answers');
  await page.context().close();
});

describe('the door', () => {
  let panel;
  let page;
  before(async () => {
    panel = await startPanel();
    page = await newPage(stage.browser, panel);
  });
  after(() => panel?.stop());

  test('a first start says where the account comes from', async () => {
    await page.goto('/cp');
    await page.getByRole('heading', { name: 'No account yet' }).waitFor();
    await expectAccessible(page);
  });

  test('setup says what is wrong, and lets one choose light or dark without losing the link', async () => {
    const link = await panel.setupLink();
    await page.goto(link);
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.getByLabel('The password again').fill('another horse battery');
    await press(page, 'Make the account');
    await page.getByRole('alert').getByText('The two passwords differ').waitFor();
    await expectAccessible(page);
    await page.goto(link);
    await press(page, 'Light or dark');
    await press(page, 'Dark');
    await page.locator('html[data-theme="dark"]').waitFor();
    await page.getByRole('button', { name: 'Make the account' }).waitFor();
    await expectAccessible(page);
  });

  test('a login that fails, or comes too often, says so and with which status', async () => {
    await setUp(page, panel);
    await page.context().clearCookies();
    await page.goto('/cp/login');
    const answer = async () => {
      const answered = page.waitForResponse((response) => response.request().method() === 'POST');
      await signIn(page, 'not the password');
      return answered;
    };
    assert.equal((await answer()).status(), 401);
    await page.getByRole('alert').getByText('wrong').waitFor();
    await expectAccessible(page);
    let last = await answer();
    for (let tries = 0; tries < 20 && last.status() === 401; tries += 1) last = await answer();
    assert.equal(last.status(), 429);
    assert.ok(Number(last.headers()['retry-after']) > 0);
    await page.getByRole('alert').getByText('Try again in').waitFor();
  });

  test('a form sent after the session ended leads back to its page', async () => {
    const own = await newPage(stage.browser, stage.panel, { storageState: stage.session });
    await withoutClient(own);
    await own.goto('/cp?box=byhand&match=core:');
    await own.context().clearCookies();
    await own.getByRole('button', { name: 'Save ticks' }).locator('visible=true').click();
    await own.getByText('Your session had ended, so that was not done.').waitFor();
    await expectAccessible(own);
    await signIn(own);
    await own.waitForURL((url) => url.searchParams.get('match') === 'core:');
    await own.context().close();
  });
});

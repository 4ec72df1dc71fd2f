// Accounts: somebody is added on the page Users, signs in, is offered no more than they may, and has pages as they like them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAccessible, expectComplaint, expectQuiet, newPage } from './browser.js';
import { startStage } from './stage.js';

const WORDS = 'what ann says to get in';

let stage;
before(async () => {
  stage = await startStage();
});
after(() => stage?.stop());

async function signIn(page, user, words) {
  await page.goto('/cp/login');
  await page.getByLabel('User').fill(user);
  await page.getByLabel('Password').fill(words);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/cp');
}

test('a reader is offered what a reader may', async () => {
  const admin = await newPage(stage.browser, stage.panel, { storageState: stage.session });
  await admin.goto('/cp/users');
  const add = admin.locator('#add');
  await add.getByLabel('User').fill('ann');
  await add.getByLabel('Password').fill(WORDS);
  await add.getByLabel('May').selectOption('read');
  await add.getByRole('button', { name: 'Add' }).click();
  await admin.getByText('Ann can sign in now').waitFor();

  const page = await newPage(stage.browser, stage.panel);
  await signIn(page, 'ann', WORDS);
  await page.goto('/cp/boxes');
  assert.equal(await page.getByRole('button', { name: /Add|Pause|Push/ }).count(), 0);
  await page.goto('/cp?box=edge');
  await page.locator('tr[data-name]').first().waitFor();
  const box = page.locator('#rows input[name=on]').first();
  const was = await box.isChecked();
  await box.focus();
  await page.keyboard.press('Space');
  await page.getByText('Your account may not do this').waitFor();
  assert.equal(await box.isChecked(), was, 'a tick that was refused goes back');
  expectComplaint(page, /status of 403/);
  expectQuiet(page);
  expectQuiet(admin);
  await page.context().close();
  await admin.context().close();
});

test('what somebody likes is kept with the account, wherever they sign in', async () => {
  const page = await newPage(stage.browser, stage.panel, { storageState: stage.session });
  await page.goto('/cp/settings');
  const mine = page.locator('#taste');
  await mine.getByLabel('Colours').selectOption('dark');
  await mine.getByLabel('Time zone').fill('America/New_York');
  await mine.getByLabel('Charts begin with').selectOption('1h');
  await mine.getByRole('button', { name: 'Keep it' }).click();
  await page.getByText('Kept for you').waitFor();
  await expectAccessible(page);
  const other = await newPage(stage.browser, stage.panel, { storageState: stage.session });
  await other.goto('/cp/charts?box=edge');
  assert.equal(await other.locator('html').getAttribute('data-theme'), 'dark');
  assert.equal(await other.locator('.switch [aria-current]').first().textContent(), '1h');
  await other.getByText('times in America/New_York').waitFor();
  await page.goto('/cp/settings');
  await mine.getByLabel('Time zone').fill('Mars/Base');
  await mine.getByRole('button', { name: 'Keep it' }).click();
  await page.getByText('is no time zone').waitFor();
  expectQuiet(page);
  expectQuiet(other);
  await page.context().close();
  await other.context().close();
});

test('a note that is written in local time stands on the charts of its box', async () => {
  const page = await newPage(stage.browser, stage.panel, { storageState: stage.session, timezoneId: 'Asia/Tokyo' });
  const usual = { headers: { origin: stage.panel.origin }, data: { zone: '' } };
  assert.ok((await page.request.patch('/cp/api/v1/me/settings', usual)).ok(), 'times are those of the browser');
  await page.goto('/cp/notes?box=edge');
  await page.getByLabel('When').fill('2026-11-20T09:00:05');
  await page.getByLabel('Note', { exact: true }).fill('Carrier B moved');
  await page.getByRole('button', { name: 'Write it' }).click();
  await page.getByText('The note stands on every chart').waitFor();
  const notes = await (await page.request.get('/cp/api/v1/boxes/edge/notes')).json();
  assert.equal(notes.items[0].text, 'Carrier B moved');
  assert.equal(notes.items[0].from, 1795132805000);
  expectQuiet(page);
  await page.context().close();
});

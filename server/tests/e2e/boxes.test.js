// The form of a box: a login and certificates that belong to an address go where they are kept, and nothing that was typed is lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectAccessible, expectComplaint, expectQuiet, launch, newPage, setUp } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

let browser;
let panel;
let box;
let session;
before(async () => {
  box = await startFakeBox();
  [browser, panel] = await Promise.all([launch(), startPanel()]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  session = await page.context().storageState();
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop()]));

const open = async (options = {}) => {
  const page = await newPage(browser, panel, { storageState: session, ...options });
  // The island that listens to the button also keeps the list true: it asks for it.
  const alive = options.javaScriptEnabled === false || page.waitForResponse('**/api/v1/boxes');
  await page.goto('/cp/boxes');
  await alive;
  return page;
};
const press = (page, name) => page.getByRole('button', { name }).click();

test('a login in the address goes into its fields when the panel finds out what is there', async () => {
  const page = await open();
  await page.getByLabel('Address').fill(box.address.replace('://', '://op:s%2Fcret@'));
  await press(page, 'Find out');
  await page.locator('#probe').getByText('Found').waitFor();
  assert.equal(await page.getByLabel('Address').inputValue(), box.address);
  assert.equal(await page.getByLabel('User', { exact: true }).inputValue(), 'op');
  assert.equal(await page.getByLabel('Password').inputValue(), 's/cret');
  assert.equal(await page.getByLabel('Password').isVisible(), true);
  await page.getByLabel('Name', { exact: true }).fill('guarded');
  await press(page, 'Add box');
  await page.getByText('guarded was added').waitFor();
  const one = await (await page.request.get('/cp/api/v1/boxes/guarded')).json();
  assert.deepEqual([one.address, one.user, one.has_password], [box.address, 'op', true]);
  expectQuiet(page);
  await page.context().close();
});

test('a user that differs from that of the address is refused, and nothing is changed', async () => {
  const page = await open();
  const typed = box.address.replace('://', '://op@');
  await page.getByLabel('Address').fill(typed);
  await page.getByText('User and password').click();
  await page.getByLabel('User', { exact: true }).fill('other');
  await press(page, 'Find out');
  await page.locator('#probe').getByText('give one of the two').waitFor();
  assert.equal(await page.getByLabel('Address').inputValue(), typed);
  await page.context().close();
});

for (const javaScriptEnabled of [true, false]) {
  test(`certificates have fields, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
    const page = await open({ javaScriptEnabled });
    await page.getByLabel('Address').fill('https://127.0.0.1:1/mi');
    await page.getByText('Certificates', { exact: true }).click();
    await page.getByLabel('Issuer').fill('/nowhere/ca.pem');
    await press(page, 'Find out');
    await page.locator('#probe').getByText('/nowhere/ca.pem').waitFor();
    assert.equal(await page.getByLabel('Address').inputValue(), 'https://127.0.0.1:1/mi');
    assert.equal(await page.getByLabel('Issuer').inputValue(), '/nowhere/ca.pem');
    await page.getByLabel('Name', { exact: true }).fill('secure');
    await page.getByLabel('Kind').selectOption('opensips');
    await page.getByLabel('Take any certificate').check();
    await press(page, 'Add box');
    await page.locator('#e-ca').getByText('nobody looks at its issuer').waitFor();
    if (javaScriptEnabled) await expectAccessible(page);
    await page.getByLabel('Issuer').fill('');
    await press(page, 'Add box');
    await page.getByText('secure was added').waitFor();
    await page.goto('/cp/boxes?edit=secure');
    assert.equal(await page.getByLabel('Address').inputValue(), 'https://127.0.0.1:1/mi');
    assert.equal(await page.getByLabel('Take any certificate').isChecked(), true);
    const origin = { origin: panel.origin };
    await page.request.fetch('/cp/api/v1/boxes/secure?history=delete', { method: 'DELETE', headers: origin });
    expectComplaint(page, /422/);
    expectQuiet(page);
    await page.context().close();
  });
}

// The live edge of charts: what is recorded is joined to what is there, and waits while somebody points at a chart or looks closer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectQuiet, launch, newPage, setUp, untilRecorded } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

let browser;
let panel;
let box;
let session;
before(async () => {
  box = await startFakeBox();
  const config = `[[box]]\nname = "sip1"\nkind = "opensips"\naddress = "${box.address}"\ninterval = "200ms"\nticks = ["core:rcv_requests", "dialog:"]\n`;
  [browser, panel] = await Promise.all([launch(), startPanel({ config })]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  await untilRecorded(page, 'sip1', 15);
  session = await page.context().storageState();
  await page.context().close();
});
after(() => Promise.all([browser?.close(), panel?.stop(), box?.stop()]));

for (const path of ['/cp/charts?box=sip1&match=rcv_requests&span=1h', '/cp/boxes/sip1/core:rcv_requests?span=1h', '/cp/charts?chart=sip1/core:rcv_requests+sip1/dialog:active_dialogs&span=1h']) {
  test(`new points are joined, and nothing else is asked for: ${path}`, async () => {
    const page = await newPage(browser, panel, { storageState: session });
    const asked = [];
    page.on('request', (request) => /\/(series|chart)\?/.test(request.url()) && asked.push(new URL(request.url())));
    const joins = () => asked.filter((url) => url.searchParams.has('from'));
    const isJoin = (request) => /\/(series|chart)\?.*from=/.test(request.url());
    await page.goto(path);
    await page.locator('.plot svg').waitFor();
    await page.locator('.numbers > summary').click();
    const rows = page.locator('.numbers tbody tr');
    await rows.first().waitFor();
    const [count, oldest] = [await rows.count(), await rows.last().innerText()];
    await page.waitForFunction((count) => document.querySelectorAll('.numbers tbody tr').length >= count + 10, count);
    assert.equal(await rows.last().innerText(), oldest, 'what is there stays');
    const times = await rows.locator('th').allInnerTexts();
    assert.equal(new Set(times).size <= times.length && joins().length > 0, true);
    const wholes = asked.length - joins().length;
    // Each begins where the one before ended.
    const [first, second] = joins().map((url) => [Number(url.searchParams.get('from')), Number(url.searchParams.get('to'))]);
    if (second) assert.ok(second[0] > first[0] && second[0] <= first[1], `${first} ${second}`);

    // Whoever points at an instant keeps it.
    const plot = await page.locator('.plot').boundingBox();
    await page.mouse.move(plot.x + plot.width / 2, plot.y + plot.height / 2);
    await page.locator('#live [data-live]').getByText('held', { exact: true }).waitFor();
    const held = await page.locator('.plot svg').innerHTML();
    await untilRecorded(page, 'sip1', 6);
    assert.ok((await page.locator('.plot svg').innerHTML()) === held, 'the chart stands still');
    const goesOn = page.waitForRequest(isJoin);
    await page.mouse.move(2, 2);
    await goesOn;
    await page.locator('#live [data-live]').getByText('live', { exact: true }).waitFor();
    assert.equal(asked.length - joins().length, wholes, 'the whole is not asked for again');

    // Whoever looks closer stays there, until they go back to now.
    await page.mouse.move(plot.x + plot.width * 0.5, plot.y + plot.height / 2);
    await page.mouse.down();
    await page.mouse.move(plot.x + plot.width * 0.7, plot.y + plot.height / 2, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL((url) => url.searchParams.has('from'));
    await page.mouse.move(2, 2);
    await page.locator('.facts, .looked-at').getByText(/^last|to /).first().waitFor();
    const closer = asked.length;
    await untilRecorded(page, 'sip1', 8);
    assert.ok(asked.length <= closer + 1, 'a span that is over is loaded once');
    const live = page.waitForRequest((request) => /\/(series|chart)\?.*span=1h/.test(request.url()));
    await page.getByRole('link', { name: 'Live' }).click();
    await live;
    await page.waitForURL((url) => !url.searchParams.has('from'));
    await page.waitForRequest(isJoin);
    expectQuiet(page);
    await page.context().close();
  });
}

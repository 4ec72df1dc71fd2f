// Every page in both themes, on a phone and on a desk: no rule of accessibility is broken, nothing sticks out, the console is clean.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectAccessible, expectQuiet, launch, newPage, setUp, untilRecorded } from './browser.js';
import { startKamailio, startPanel } from './processes.js';

const INSIDE = [
  '/cp?box=edge',
  '/cp?box=edge&match=dialog:',
  '/cp?box=gone',
  '/cp?box=tickmark',
  '/cp/charts',
  '/cp/charts?box=edge&span=1h&mode=value',
  '/cp/charts?match=there-is-no-such-name',
  '/cp/boxes',
  '/cp/boxes?edit=byhand',
  '/cp/boxes?remove=byhand',
  '/cp/there-is-no-such-page',
];
const OUTSIDE = ['/cp/login', '/cp/setup?token=wrong'];
/** Colours don't change with the width: the widest window is looked at once. */
const WINDOWS = [
  ['light', 360],
  ['light', 1280],
  ['light', 2560],
  ['dark', 360],
  ['dark', 1280],
];

let browser;
let kamailio;
let panel;
let session;
before(async () => {
  [browser, kamailio] = await Promise.all([launch(), startKamailio()]);
  panel = await startPanel({
    config: `
[[box]]
name = "edge"
kind = "kamailio"
address = "${kamailio.address}"
ticks = ["core:rcv_requests", "dialog:", "shmem:used_size"]

[[box]]
name = "gone"
kind = "opensips"
address = "http://127.0.0.1:1/mi"
`,
  });
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  await page.request.post('/cp/api/v1/boxes', {
    headers: { origin: panel.origin },
    data: { name: 'byhand', kind: 'kamailio', address: kamailio.address, labels: { site: 'fra' } },
  });
  await untilRecorded(page, 'edge', 3);
  session = await page.context().storageState();
  await page.context().close();
});
after(() => Promise.all([browser?.close(), kamailio?.stop(), panel?.stop()]));

for (const [colorScheme, width] of WINDOWS) {
  describe(`${colorScheme}, ${width} px`, () => {
    for (const path of [...INSIDE, ...OUTSIDE]) {
      test(path, async () => {
        const options = { colorScheme, viewport: { width, height: 900 } };
        const page = await newPage(browser, panel, INSIDE.includes(path) ? { ...options, storageState: session } : options);
        const response = await page.goto(path);
        assert.equal(response.status(), path.includes('no-such-page') ? 404 : 200);
        await page.locator('main').waitFor();
        await expectAccessible(page);
        // That the page itself is a 404 is what was asked for.
        if (path.includes('no-such-page')) page.complaints = page.complaints.filter((complaint) => !/status of 404/.test(complaint));
        expectQuiet(page);
        await page.context().close();
      });
    }
  });
}

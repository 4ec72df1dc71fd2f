// A page that stays open while the panel is replaced by another build, as after an upgrade.
import { after, before, test } from 'node:test';
import { launch, newPage, setUp, untilLive } from './browser.js';
import { startPanel } from './processes.js';

let browser;
let panel;
before(async () => {
  [browser, panel] = await Promise.all([launch(), startPanel()]);
});
after(() => Promise.all([browser?.close(), panel?.stop()]));

test('it loads anew by itself, and lives on', async () => {
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  await untilLive(page);
  await page.evaluate(() => {
    globalThis.isOld = true;
  });
  await panel.replace();
  await page.waitForFunction(() => !globalThis.isOld && document.readyState === 'complete');
  await untilLive(page);
});

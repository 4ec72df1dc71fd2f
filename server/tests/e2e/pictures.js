// Draws the README's pictures anew: both pages beside a Kamailio under traffic, some minutes after the start.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectQuiet, launch, newPage, setUp, untilLive, untilRecorded } from './browser.js';
import { startKamailio, startPanel } from './processes.js';

/** So many polls are recorded first, one a second: a chart with a shape. */
const POLLS = Number(process.env.POLLS ?? 150);
/** Ticks worth looking at. */
const TICKS = ['core:rcv_requests', 'core:fwd_requests', 'dialog:active_dialogs', 'shmem:used_size', 'sl:200_replies', 'tmx:inuse_transactions'];

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'pictures');
const [browser, kamailio] = await Promise.all([launch(), startKamailio()]);
const panel = await startPanel({
  interval: '1s',
  config: `[[box]]\nname = "sip1"\nkind = "kamailio"\naddress = "${kamailio.address}"\nticks = ${JSON.stringify(TICKS)}\n`,
});
try {
  const page = await newPage(browser, panel, { viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  await setUp(page, panel);
  for (let polls = 0; polls < POLLS; polls += 10) await untilRecorded(page, 'sip1', Math.min(10, POLLS - polls));
  await page.goto('/cp?box=sip1');
  await untilLive(page);
  await page.screenshot({ path: path.join(folder, 'realtime.png') });
  await page.goto('/cp/charts?box=sip1&span=1h');
  // The island draws one chart after the other, in place of its image.
  for (const figure of await page.locator('figure').all()) await figure.locator('svg').waitFor();
  await page.screenshot({ path: path.join(folder, 'charts.png') });
  expectQuiet(page);
} finally {
  await Promise.all([browser.close(), kamailio.stop(), panel.stop()]);
}

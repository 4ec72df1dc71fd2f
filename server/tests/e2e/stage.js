// A panel with a box in every state: what the tests of looks, words and keys open.
import { launch, newPage, setUp, untilRecorded } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startKamailio, startPanel } from './processes.js';

/** Answers the browser, the panel, and a session that is signed in to it; `stop` ends all of it. */
export async function startStage() {
  const [browser, kamailio, silent, resting] = await Promise.all([launch(), startKamailio(), startFakeBox(), startFakeBox()]);
  silent.be('silent');
  const panel = await startPanel({
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
  const add = (data) => page.request.post('/cp/api/v1/boxes', { headers: { origin: panel.origin }, data });
  await add({ name: 'byhand', kind: 'kamailio', address: kamailio.address, labels: { site: 'fra' } });
  await add({ name: 'resting', kind: 'opensips', address: resting.address, interval: '1h' });
  await untilAnswered(page, 'resting');
  await page.request.patch('/cp/api/v1/boxes/resting', { headers: { origin: panel.origin }, data: { paused: true } });
  // Its first poll is still under way for as long as the tests run, or has failed: both are states to look at.
  await add({ name: 'waiting', kind: 'opensips', address: silent.address, interval: '1h' });
  await untilRecorded(page, 'edge', 3);
  const session = await page.context().storageState();
  await page.context().close();
  const stop = () => Promise.all([browser.close(), kamailio.stop(), panel.stop(), silent.stop(), resting.stop()]);
  return { browser, kamailio, panel, session, stop };
}

/** A panel with the history of a box `sip1` that is gone, whose `groups` are ticked: a browser, the panel, a session, and `stop`. */
export async function startHistory(history, groups) {
  const ticks = groups.map((group) => `"${group}:"`).join(', ');
  const config = `[[box]]\nname = "sip1"\nkind = "opensips"\naddress = "http://127.0.0.1:1/mi"\nticks = [${ticks}]\n`;
  const [browser, panel] = await Promise.all([launch(), startPanel({ config, history: { sip1: history } })]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  const session = await page.context().storageState();
  await page.context().close();
  return { browser, panel, session, stop: () => Promise.all([browser.close(), panel.stop()]) };
}

/** Waits for a box's first answer, by the stream: the box is told of when it changes. */
async function untilAnswered(page, box) {
  await page.goto(`/cp?box=${box}`);
  await page.locator('tr[data-name]').first().waitFor();
}

// Charts look as they did: each is compared with its picture in `charts/`, point by point. Words are left out, as fonts differ from machine to
// machine. `PICTURES=renew node --test pixels.test.js` draws the pictures anew; what a chart became that differs is kept beside those of looks.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { expectQuiet, newPage } from './browser.js';
import { startHistory } from './stage.js';
import { PICTURES } from './windows.js';

/** Six hours of samples, one in twenty seconds, that end at a midnight: the ticks of their axis are the same every day. */
const DAY_S = 86_400;
const END_S = Math.floor(Date.now() / 1000 / DAY_S) * DAY_S;
const COUNT = 1080;
/** Half an hour is missing, and once the counter began anew. */
const known = (i) => i < 500 || i >= 590;
const VALUES = {
  'core:rcv_requests': ['counter', (i) => (i < 800 ? i * 400 + Math.round(3000 * Math.sin(i / 40)) + 3000 : (i - 800) * 250)],
  'dialog:active_dialogs': ['gauge', (i) => Math.round(120 + 90 * Math.sin(i / 55) + (i % 11))],
  'dialog:early_dialogs': ['gauge', (i) => Math.round(40 + 30 * Math.cos(i / 90))],
  'shmem:used_size': ['gauge', (i) => 20_000_000 + i * 9000],
};
const HISTORY = `${Object.entries(VALUES)
  .map(([name, [kind, value]]) => {
    const lines = Array.from({ length: COUNT }, (_, i) => i).filter(known);
    return [`# TYPE ${name} ${kind}`, ...lines.map((i) => `${name} ${value(i)} ${END_S - (COUNT - i) * 20}`)].join('\n');
  })
  .join('\n')}\n# EOF\n`;
const SPAN = `from=${(END_S - 21_600) * 1000}&to=${END_S * 1000}`;

/** What is drawn, and in which theme. */
const CHARTS = {
  'a counter': ['light', 'match=core:rcv_requests'],
  'a gauge': ['dark', 'match=dialog:active_dialogs'],
  'increase as bars': ['light', 'match=core:rcv_requests&mode=increase'],
  stacked: ['dark', 'chart=dialog:active_dialogs+dialog:early_dialogs+.stacked'],
  'two axes': ['light', 'chart=dialog:active_dialogs+shmem:used_size'],
  logarithmic: ['dark', 'chart=dialog:active_dialogs+.log'],
};
/** A point is the same where one beside it is as much of each colour, up to this. */
const COLOUR_DIFFERS = 48;
/** So many of all points may differ: corners that another Chromium rounds otherwise. */
const POINTS_DIFFER = 0.001;

let browser;
let panel;
let session;
let stop;
before(async () => {
  ({ browser, panel, session, stop } = await startHistory(HISTORY, ['core', 'dialog', 'shmem']));
});
after(() => stop?.());

const base64 = (bytes) => Buffer.from(bytes).toString('base64');

/** Which share of the points of one picture has no like in the other, and the other way round. */
async function difference(one, other) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const share = await page.evaluate(
    async ({ pictures, limit }) => {
      const read = async (data) => {
        const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
        canvas.drawImage(bitmap, 0, 0);
        return canvas.getImageData(0, 0, bitmap.width, bitmap.height);
      };
      const [one, other] = await Promise.all(pictures.map(read));
      const { width, height } = one;
      if (width !== other.width || height !== other.height) return `${width} × ${height} and ${other.width} × ${other.height}`;
      const isLike = (a, at, b, there) => [0, 1, 2].every((colour) => Math.abs(a.data[at * 4 + colour] - b.data[there * 4 + colour]) <= limit);
      let without = 0;
      for (const [a, b] of [[one, other], [other, one]]) {
        for (let at = 0; at < width * height; at += 1) {
          if (isLike(a, at, b, at)) continue;
          const [x, y] = [at % width, Math.floor(at / width)];
          const near = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [x + dx, y + dy]));
          const found = near.some(([x, y]) => x >= 0 && y >= 0 && x < width && y < height && isLike(a, at, b, y * width + x));
          without += found ? 0 : 1;
        }
      }
      return without / (2 * width * height);
    },
    { pictures: [one, other].map(base64), limit: COLOUR_DIFFERS },
  );
  await context.close();
  return share;
}

for (const [name, [colorScheme, query]] of Object.entries(CHARTS)) {
  test(name, async () => {
    const options = { storageState: session, colorScheme, timezoneId: 'UTC', viewport: { width: 700, height: 900 }, reducedMotion: 'reduce' };
    const page = await newPage(browser, panel, options);
    const loaded = page.waitForResponse((answer) => /\/(series|chart)\?/.test(answer.url()));
    await page.goto(`/cp/charts?box=sip1&${SPAN}&${query}`);
    await loaded;
    const svg = page.locator('figure .plot > svg');
    await svg.waitFor();
    await svg.evaluate((svg) => {
      for (const text of svg.querySelectorAll('text')) text.style.visibility = 'hidden';
      // Whole pixels, wherever it stands.
      Object.assign(svg.style, { position: 'fixed', inset: '0 auto auto 0', width: `${svg.getAttribute('width')}px`, background: 'var(--sheet)', zIndex: 99 });
      document.body.append(svg);
    });
    const { width, height } = await page.locator('body > svg').boundingBox();
    const seen = await page.screenshot({ clip: { x: 0, y: 0, width, height } });
    const file = new URL(`charts/${name.replaceAll(' ', '_')}.png`, import.meta.url);
    if (process.env.PICTURES === 'renew') {
      await mkdir(new URL('charts/', import.meta.url), { recursive: true });
      await writeFile(file, seen);
    }
    const share = await difference(await readFile(file), seen);
    if (share !== 0) {
      await mkdir(PICTURES, { recursive: true });
      await writeFile(`${PICTURES}/chart ${name}.png`, seen);
    }
    assert.ok(share <= POINTS_DIFFER, `${name} differs from ${file.pathname}: ${share}; as it is now: ${PICTURES}/chart ${name}.png`);
    expectQuiet(page);
    await page.context().close();
  });
}

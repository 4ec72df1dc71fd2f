// The windows that pages are looked at in, from a phone to a wall and in both themes. A page is opened once, and its window and its theme
// change around it: what it says stays the same.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectAccessible, expectNothingSticksOut, expectWhole } from './browser.js';

/** Where pictures of what the tests saw are kept, until the next run of the same test. */
export const PICTURES = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../target/pictures');

/** Rules of axe-core about what colours do. */
const COLOURS = ['color-contrast', 'link-in-text-block'];
/** Those that a width may break. */
const LAYOUT = ['scrollable-region-focusable'];
/** Height for width: a wall is as wide as high, a phone is not. */
const height = (width) => ({ 360: 740, 3840: 2160 })[width] ?? 900;

/**
 * All rules in each theme once, on a desk and on a phone, as each has other things in it; colours in each theme on both; what a width may break
 * in all. 640 and 320 px are what a window of 1280 px has at 200 and 400 %. `kept`: a picture is. `once`: where a page is looked at for itself,
 * not for what opens in it.
 */
const WINDOWS = [
  { width: 1280, colorScheme: 'light', rules: null, kept: true },
  { width: 1280, colorScheme: 'dark', rules: COLOURS, kept: true },
  { width: 360, colorScheme: 'dark', rules: null, kept: true },
  { width: 360, colorScheme: 'light', rules: COLOURS, kept: true },
  { width: 320, colorScheme: 'light', rules: LAYOUT },
  { width: 640, colorScheme: 'light', once: true },
  { width: 1920, colorScheme: 'light' },
  { width: 3840, colorScheme: 'light', kept: true, once: true },
  { width: 3840, colorScheme: 'dark', kept: true, once: true },
];
/** In which window a page is opened that is then looked at in all. */
export const FIRST = { colorScheme: 'light', viewport: { width: 1280, height: height(1280) }, reducedMotion: 'reduce' };

/**
 * What the page shows now breaks no rule of axe-core in any window, nothing sticks out of it, and nothing is cut off that `whole` selects.
 * `name` is what its pictures are called; `again` reaches what is not shown for long, in each window anew. With `opened` it is about what opened
 * in a page, which is looked at by itself elsewhere.
 */
export async function expectAccessibleEverywhere(page, name, { whole = '', again = null, opened = false } = {}) {
  const windows = WINDOWS.filter(({ once }) => !(once && opened));
  for (const [turn, { width, colorScheme, rules, kept }] of windows.entries()) {
    await page.setViewportSize({ width, height: height(width) });
    await page.emulateMedia({ colorScheme });
    if (again && turn > 0) await again(page);
    await laidOut(page);
    if (rules === undefined) await expectNothingSticksOut(page);
    else await expectAccessible(page, rules);
    if (whole) await expectWhole(page, whole);
    if (kept) await keepPicture(page, `${name}, ${width} ${colorScheme}`);
  }
  await page.setViewportSize(FIRST.viewport);
  await page.emulateMedia({ colorScheme: FIRST.colorScheme });
}

/** What follows the width of the window, such as charts, has followed it. */
const laidOut = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** Keeps what is seen, as the browser has it: nothing is waited for. */
async function keepPicture(page, name) {
  page.wire ??= await page.context().newCDPSession(page);
  const { data } = await page.wire.send('Page.captureScreenshot', { format: 'jpeg', quality: 70, optimizeForSpeed: true });
  await mkdir(PICTURES, { recursive: true });
  await writeFile(path.join(PICTURES, `${name.replace(/[^\w.,=+ -]+/g, '_').replace(/^_/, '').slice(-120)}.jpg`), Buffer.from(data, 'base64'));
}

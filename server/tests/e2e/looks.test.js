// Every page in both themes, from a phone to a wall, also at 200 and 400 % of zoom: no rule of accessibility is broken, nothing sticks
// out or is cut off, the console is clean. Pictures of it are kept.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectAccessible, expectComplaint, expectQuiet, expectWhole, newPage } from './browser.js';
import { startStage } from './stage.js';
import { FIRST, expectAccessibleEverywhere } from './windows.js';

const INSIDE = [
  '/cp?box=edge',
  '/cp?box=edge&match=dialog:',
  '/cp?box=edge&match=there-is-no-such-name',
  '/cp?box=byhand&show=recorded',
  '/cp?box=gone',
  '/cp?box=resting',
  '/cp?box=waiting',
  '/cp?box=tickmark',
  '/cp?box=nobody',
  '/cp/charts',
  '/cp/charts?box=edge&span=1h&mode=value',
  '/cp/charts?box=edge&match=core:rcv_requests',
  '/cp/charts?box=byhand',
  '/cp/charts?match=there-is-no-such-name',
  '/cp/overview',
  '/cp/overview?size=lines&sort=name',
  '/cp/overview?match=there-is-no-such-box',
  '/cp/boxes/edge/core:rcv_requests',
  '/cp/boxes/edge/shmem:used_size?span=1h',
  '/cp/boxes/gone/core:rcv_requests',
  '/cp/boxes',
  '/cp/boxes?edit=byhand',
  '/cp/boxes?edit=tickmark',
  '/cp/boxes?remove=byhand',
  '/cp/scripts',
  '/cp/scripts?new=yes',
  '/cp/charts?box=edge&chart=core:rcv_requests+core:rcv_replies+.rate&chart=dialog:+.stacked',
  '/cp/alerts',
  '/cp/derived',
  '/cp/notes',
  '/cp/notes?box=edge&from=1764244800000',
  '/cp/sets?box=edge',
  '/cp/sets?box=edge&chart=core:rcv_requests',
  '/cp/users',
  '/cp/users?password=operator',
  '/cp/users?remove=operator',
  '/cp/settings',
  '/cp/settings?change=yes',
  '/cp/there-is-no-such-page',
];
const OUTSIDE = ['/cp/login', '/cp/login?again=1', '/cp/setup?token=wrong'];
const NOT_THERE = /nobody|no-such-page|gone\/core/;
/** Numbers and what belongs to them, and what is pressed, are never cut. */
const WHOLE = '.val b, .unit, .rate, .switch a, .btn, .ghost, .facts span, .list td:not(.acts), .tabs a';

let stage;
before(async () => {
  stage = await startStage();
});
after(() => stage?.stop());

/** One page each for those who are signed in and who are not: a context and what is cached in it serve all that is looked at. */
const pages = new Map();
async function open(path, options = FIRST) {
  const inside = INSIDE.includes(path);
  const key = `${inside} ${JSON.stringify(options)}`;
  if (!pages.has(key)) pages.set(key, await newPage(stage.browser, stage.panel, inside ? { ...options, storageState: stage.session } : options));
  const page = pages.get(key);
  page.complaints = [];
  const response = await page.goto(path);
  const missing = NOT_THERE.test(path);
  assert.equal(response.status(), missing ? 404 : 200);
  await page.locator('main').waitFor();
  return page;
}

function quiet(page, path) {
  // That the page itself is a 404 is what was asked for.
  if (NOT_THERE.test(path)) expectComplaint(page, /status of 404/);
  expectQuiet(page);
}

for (const path of [...INSIDE, ...OUTSIDE]) {
  test(path, async () => {
    const page = await open(path);
    await expectAccessibleEverywhere(page, path, { whole: WHOLE });
    quiet(page, path);
  });
}

describe('in the colours of the reader', () => {
  for (const path of ['/cp?box=edge', '/cp/charts', '/cp/overview', '/cp/boxes/edge/core:rcv_requests', '/cp/boxes']) {
    test(path, async () => {
      const page = await open(path, { reducedMotion: 'reduce', forcedColors: 'active' });
      await expectAccessible(page);
      await expectWhole(page, WHOLE);
      quiet(page, path);
    });
  }
});

test('nothing moves for those who want no motion', async () => {
  for (const path of ['/cp?box=edge', '/cp/charts', '/cp/overview', '/cp/boxes/edge/core:rcv_requests', '/cp/boxes']) {
    const page = await open(path);
    await page.locator('#heard').waitFor({ state: 'attached' });
    const moving = await page.evaluate(() => {
      const styles = [...document.querySelectorAll('*')].map((one) => getComputedStyle(one));
      return styles.filter((style) => style.animationName !== 'none' || style.transitionDuration.split(', ').some((time) => time !== '0s')).length;
    });
    assert.equal(moving, 0, path);
  }
});

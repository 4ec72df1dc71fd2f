// On paper: what is read in black on white, nothing that is pressed, whatever the screen's theme.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newPage } from './browser.js';
import { startStage } from './stage.js';

let stage;
before(async () => {
  stage = await startStage();
});
after(() => stage?.stop());

const CONTROLS = 'button, input:not([type=hidden]), select, summary.ghost, nav, .tabs, form.find, .toast, .ico';

for (const [colorScheme, theme] of [
  ['light', 'auto'],
  ['dark', 'auto'],
  ['dark', 'dark'],
]) {
  for (const path of ['/cp?box=edge', '/cp/charts?box=edge', '/cp/boxes', '/cp?box=gone']) {
    test(`${path}, ${colorScheme}, ${theme}`, async () => {
      const page = await newPage(stage.browser, stage.panel, { colorScheme, storageState: stage.session });
      await page.context().addCookies([{ name: 'theme', value: theme, url: stage.panel.origin }]);
      await page.goto(path);
      if (path.includes('charts')) await page.locator('figure svg').first().waitFor();
      await page.emulateMedia({ media: 'print', colorScheme });
      const controls = page.locator(CONTROLS).locator('visible=true');
      assert.deepEqual(await controls.evaluateAll((found) => found.map((one) => one.outerHTML.slice(0, 120))), []);
      const [ground, ink, line] = await page.evaluate(() => {
        const style = getComputedStyle(document.documentElement);
        return [style.backgroundColor, style.color, style.getPropertyValue('--s1').trim()];
      });
      assert.deepEqual([ground, ink, line], ['rgb(255, 255, 255)', 'rgb(0, 0, 0)', '#0b6e69']);
      await page.getByRole('heading', { level: 1 }).locator('visible=true').waitFor();
      // No page is so wide that paper cuts it.
      await page.setViewportSize({ width: 700, height: 990 });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
      await page.context().close();
    });
  }
}

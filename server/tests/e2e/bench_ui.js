// What the pages promise in a real browser, measured here, and uPlot drawing the same columns in the same run, as one table.
// `node bench_ui.js [paint] [gestures] [redraw] [pixel] [memory] [scroll]`: words choose parts.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { launch, newPage, setUp, untilLive, untilRecorded } from './browser.js';
import { startFakeBox } from './fake_box.js';
import { startPanel } from './processes.js';

const CHARTS = 12;
const DAY_S = 86_400;
const UPLOT = createRequire(import.meta.url).resolve('uplot').replace(/[^/]*$/, 'uPlot.iife.min.js');
/** A mid-range phone, as browsers' own tools imitate one. */
const THROTTLED = { cpu: 4, bytes: (10 * 1000 * 1000) / 8, latency_ms: 40 };
const ROUNDS = 5;
const rows = [];

const sorted = (list) => [...list].sort((a, b) => a - b);
const at = (list, share) => sorted(list)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? NaN;
const ms = (number) => `${number.toFixed(number < 10 ? 1 : 0)} ms`;
const figure = (what, measured, aim, met, beside = '') => rows.push([what, measured, beside, `${aim}${met ? '' : ': missed'}`]);
const say = (text) => process.stderr.write(`${text}\n`);

/** A day of polls a second for each chart: counters and gauges that move as a busy server's do. */
function history() {
  const end = Math.floor(Date.now() / 1000);
  let random = 1;
  const next = () => (random = (random * 48_271) % 2_147_483_647) / 2_147_483_647;
  const texts = Array.from({ length: CHARTS }, (_, chart) => {
    const isCounter = chart % 2 === 0;
    const name = isCounter ? `core:requests_${chart}` : `dialog:active_${chart}`;
    const lines = [`# TYPE ${name} ${isCounter ? 'counter' : 'gauge'}`];
    let value = 1000;
    for (let i = DAY_S; i > 0; i -= 1) {
      const rate = 200 + 100 * Math.sin(i / 4000 + chart) + 80 * next();
      value = isCounter ? value + Math.floor(rate) : Math.floor(rate);
      lines.push(`${name} ${value} ${end - i}`);
    }
    return lines.join('\n');
  });
  return `${texts.join('\n')}\n# EOF\n`;
}

async function open(stage, path, { throttled = false, init = null, viewport = { width: 1280, height: 900 } } = {}) {
  const page = await newPage(stage.browser, stage.panel, { storageState: stage.session, viewport });
  const wire = await page.context().newCDPSession(page);
  if (throttled) {
    await wire.send('Network.enable');
    const bytes = THROTTLED.bytes;
    await wire.send('Network.emulateNetworkConditions', { offline: false, latency: THROTTLED.latency_ms, downloadThroughput: bytes, uploadThroughput: bytes });
    await wire.send('Emulation.setCPUThrottlingRate', { rate: THROTTLED.cpu });
  }
  await page.addInitScript(() => {
    globalThis.seen = { shift: 0, long: [], paints: [] };
    const watch = (type, act) => new PerformanceObserver((list) => list.getEntries().forEach(act)).observe({ type, buffered: true });
    watch('layout-shift', (one) => (globalThis.seen.shift += one.hadRecentInput ? 0 : one.value));
    watch('longtask', (one) => globalThis.seen.long.push(one.duration));
    watch('paint', (one) => globalThis.seen.paints.push([one.name, one.startTime]));
  });
  if (init) await page.addInitScript(init);
  await page.goto(path);
  return { page, wire };
}

const allDrawn = (page) => page.waitForFunction(() => {
  const inView = [...document.querySelectorAll('figure')].filter((one) => one.getBoundingClientRect().top < innerHeight);
  return inView.length > 0 && inView.every((one) => one.querySelector('.plot > svg'));
});

const CHARTS_PAGE = '/cp/charts?box=sip1&span=24h';

/** From the navigation to the first paint, and to the pictures of all charts in sight, each in a browser that was here before. */
async function paint(stage) {
  for (const [throttled, aim] of [[false, 250], [true, 1000]]) {
    const [first, whole, shifts] = [[], [], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { page } = await open(stage, CHARTS_PAGE, { throttled });
      await allDrawn(page);
      const seen = await page.evaluate(() => ({
        ...globalThis.seen,
        pictures: Math.max(...performance.getEntriesByType('resource').filter((one) => /chart\.svg/.test(one.name)).map((one) => one.responseEnd)),
      }));
      first.push(seen.paints.find(([name]) => name === 'first-contentful-paint')?.[1] ?? NaN);
      whole.push(seen.pictures);
      shifts.push(seen.shift);
      await page.context().close();
    }
    const how = throttled ? `, ${THROTTLED.cpu}× slower CPU, 10 Mbit/s` : '';
    const [paints, pictures] = [at(first, 0.5), at(whole, 0.5)];
    figure(`First paint of ${CHARTS} charts of 24 h at 1 s${how}; pictures of those in sight`, `${ms(paints)}; ${ms(pictures)}`, `≤ ${aim} ms`, pictures <= aim);
    if (!throttled) figure('… what shifts after it (CLS)', Math.max(...shifts).toFixed(3), '0', Math.max(...shifts) === 0);
  }
}

/** The times between frames while hands are at a chart. */
async function gestures(stage) {
  const { page } = await open(stage, CHARTS_PAGE, { viewport: { width: 1280, height: 1600 } });
  await allDrawn(page);
  const plot = await page.locator('.plot').first().boundingBox();
  const [middle, y] = [plot.x + plot.width / 2, plot.y + plot.height / 2];
  const frames = async (act) => {
    await page.evaluate(() => {
      globalThis.frames = [];
      let last = performance.now();
      const step = (now) => {
        globalThis.frames.push(now - last);
        last = now;
        globalThis.going = requestAnimationFrame(step);
      };
      globalThis.going = requestAnimationFrame(step);
    });
    await act();
    return page.evaluate(() => {
      cancelAnimationFrame(globalThis.going);
      return globalThis.frames.slice(2);
    });
  };
  const still = await frames(() => page.waitForTimeout(1500));
  const acts = {
    'The cross-hair': async () => {
      for (let i = 0; i < 120; i += 1) await page.mouse.move(middle + 200 * Math.sin(i / 10), y);
    },
    Zooming: async () => {
      await page.keyboard.down('Control');
      for (let i = 0; i < 80; i += 1) await page.mouse.wheel(0, i < 40 ? -40 : 40);
      await page.keyboard.up('Control');
    },
    Panning: async () => {
      await page.keyboard.down('Shift');
      await page.mouse.down();
      for (let i = 0; i < 120; i += 1) await page.mouse.move(middle + 150 * Math.sin(i / 15), y);
      await page.mouse.up();
      await page.keyboard.up('Shift');
    },
  };
  for (const [what, act] of Object.entries(acts)) {
    await page.mouse.move(middle, y);
    const times = await frames(act);
    const p95 = at(times, 0.95);
    figure(`${what} with ${CHARTS} charts: frames at the 95th percentile (of ${times.length})`, ms(p95), '≤ 16 ms', p95 <= 17, `nothing moving: ${ms(at(still, 0.95))}`);
  }
  await page.context().close();
}

/** One chart from its columns, and uPlot with the same. */
async function redraw(stage) {
  const init = () => {
    globalThis.draws = [];
    const ask = globalThis.requestAnimationFrame.bind(globalThis);
    globalThis.requestAnimationFrame = (act) =>
      ask((now) => {
        const before = document.querySelector('.plot > svg');
        const began = performance.now();
        act(now);
        if (globalThis.counts && document.querySelector('.plot > svg') !== before) globalThis.draws.push(performance.now() - began);
      });
  };
  const { page } = await open(stage, `${CHARTS_PAGE}&match=requests_0`, { init });
  await allDrawn(page);
  for (let round = 0; round < 30; round += 1) {
    await page.evaluate((wide) => {
      globalThis.counts = true;
      document.querySelector('main').style.setProperty('padding-right', wide ? '40px' : '0');
      window.dispatchEvent(new Event('resize'));
    }, round % 2 === 0);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  }
  const ours = await page.evaluate(() => globalThis.draws);
  await page.evaluate(await readFile(UPLOT, 'utf8').then((text) => `${text};globalThis.uPlot = uPlot;`));
  const theirs = await page.evaluate(async () => {
    const place = document.querySelector('.plot');
    const [width, height] = [place.clientWidth, place.clientHeight];
    const answer = await (await fetch(`/cp/api/v1/series?box=sip1&name=core:requests_0&span=24h&points=${width}`)).json();
    const { t, min, max, last } = answer.columns;
    const data = [t.map((at) => at / 1000), min, max, last];
    const host = document.body.appendChild(document.createElement('div'));
    const line = (stroke) => ({ stroke, width: 1 });
    const times = [];
    const plot = new globalThis.uPlot({ width, height, series: [{}, line('#888'), line('#888'), line('#06c')] }, data, host);
    for (let i = 0; i < 30; i += 1) {
      const began = performance.now();
      plot.setSize({ width: width - (i % 2) * 40, height });
      plot.setData(data);
      await null;
      times.push(performance.now() - began);
    }
    host.remove();
    return times;
  });
  const own = at(ours, 0.5);
  figure('Redrawing one chart from its columns, as SVG', `${ms(own)} (95th: ${ms(at(ours, 0.95))})`, '≤ 4 ms', own <= 4, `uPlot, on a canvas: ${ms(at(theirs, 0.5))}`);
  await page.context().close();
}

/** From a box's answer to the frame that shows it. */
async function pixel(stage) {
  const { page } = await open(stage, '/cp?box=live');
  await untilLive(page);
  await page.evaluate(() => {
    globalThis.shown = [];
    new MutationObserver(() => {
      requestAnimationFrame(() => globalThis.shown.push(performance.timeOrigin + performance.now()));
    }).observe(document.querySelector('.val b'), { childList: true, characterData: true, subtree: true });
  });
  const before = stage.box.answered.length;
  await untilRecorded(page, 'live', 40);
  const shown = await page.evaluate(() => globalThis.shown);
  const answered = stage.box.answered.slice(before);
  const waits = shown.flatMap((when) => {
    const last = answered.filter((at) => at <= when).at(-1);
    return last ? [when - last] : [];
  });
  const p95 = at(waits, 0.95);
  figure(`From a poll to the changed pixel, 95th percentile of ${waits.length}; median`, `${ms(p95)}; ${ms(at(waits, 0.5))}`, '≤ 50 ms', p95 <= 50);
  await page.context().close();
}

/** An hour of polls at 1 s, as fast as the page takes them: what the stream brought is told again with other values. */
async function memory(stage) {
  const init = () => {
    const Real = globalThis.EventSource;
    globalThis.streams = [];
    globalThis.EventSource = class extends Real {
      constructor(url) {
        super(url);
        globalThis.streams.push(this);
        this.addEventListener('values', ({ data }) => (globalThis.told = data));
      }
    };
    const start = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (...all) => {
      const made = await start.apply(WebAssembly, all);
      globalThis.memory = made.instance.exports.memory;
      return made;
    };
  };
  const { page, wire } = await open(stage, '/cp?box=live', { init });
  await untilLive(page);
  await page.waitForFunction(() => globalThis.told);
  const weigh = async () => {
    await wire.send('HeapProfiler.collectGarbage');
    const { usedSize } = await wire.send('Runtime.getHeapUsage');
    const { nodes } = await wire.send('Memory.getDOMCounters');
    const wasm = await page.evaluate(() => globalThis.memory?.buffer.byteLength ?? 0);
    return { heap: usedSize, wasm, nodes };
  };
  const polls = (count) => page.evaluate(async (count) => {
    const stream = globalThis.streams.at(-1);
    for (let i = 0; i < count; i += 1) {
      const news = JSON.parse(globalThis.told);
      news.snapshot = false;
      news.statistics.forEach((one, place) => (one.value = (one.value ?? 0) + i + place));
      stream.dispatchEvent(new MessageEvent('values', { data: JSON.stringify(news) }));
      if (i % 10 === 0) await new Promise((done) => requestAnimationFrame(done));
    }
  }, count);
  await polls(60);
  const before = await weigh();
  await polls(3540);
  const after = await weigh();
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  const grew = after.heap - before.heap + after.wasm - before.wasm;
  const told = (one) => `${mb(one.heap)} and ${mb(one.wasm)} of WASM, ${one.nodes} nodes`;
  figure('Live page after a minute of polls; after an hour', `${told(before)}; ${told(after)}`, 'it does not grow', grew < 1e6 && after.nodes <= before.nodes + 50);
  await page.context().close();
}

/** Two thousand statistics, four of five moving once a second, and somebody who scrolls. */
async function scroll(stage) {
  const { page, wire } = await open(stage, '/cp?box=many');
  await untilLive(page);
  await page.locator('#rows.drawn').waitFor();
  await page.waitForTimeout(2000);
  await page.mouse.move(400, 500);
  await wire.send('Performance.enable');
  const spent = async () => Object.fromEntries((await wire.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value * 1000]));
  const before = await spent();
  await page.evaluate(() => {
    globalThis.seen.long.length = 0;
    globalThis.frames = [];
    let last = performance.now();
    const step = (now) => {
      globalThis.frames.push(now - last);
      last = now;
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
  for (let i = 0; i < 240; i += 1) {
    await page.mouse.wheel(0, i < 120 ? 240 : -240);
    await page.waitForTimeout(16);
  }
  const { long, frames } = await page.evaluate(() => ({ long: globalThis.seen.long, frames: globalThis.frames }));
  const p95 = at(frames, 0.95);
  const after = await spent();
  const parts = [['styles', 'RecalcStyleDuration'], ['layout', 'LayoutDuration'], ['scripts', 'ScriptDuration'], ['all', 'TaskDuration']];
  const told = parts.map(([what, name]) => `${what} ${ms(after[name] - before[name])}`).join(', ');
  const longest = long.length ? `, the longest ${ms(Math.max(...long))}` : '';
  figure(`Scrolling 2,000 statistics, 1,600 of them moving: frames at the 95th percentile; long tasks`, `${ms(p95)}; ${long.length}${longest}`, '≤ 16 ms; none', p95 <= 17 && !long.length, `of it ${told}`);
  await page.context().close();
}

/** A box that remembers when it answered. */
async function watchedBox() {
  const box = await startFakeBox();
  const answered = [];
  const { default: http } = await import('node:http');
  const server = http.createServer((request, response) => {
    const on = http.request(box.address, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.on('end', () => answered.push(performance.timeOrigin + performance.now())).pipe(response);
    });
    request.pipe(on);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const stop = () => {
    server.closeAllConnections();
    server.close();
    box.stop();
  };
  return { address: `http://127.0.0.1:${server.address().port}/mi`, answered, stop };
}

async function startStage() {
  say('A day of twelve statistics at a second is made …');
  const name = (index) => `script${Math.floor(index / 900)}:calls_by_route_${index}`;
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [name(index), 1000 + index]));
  const [box, crowd] = await Promise.all([watchedBox(), startFakeBox(many, (one) => Number(one.split('_').pop()) >= 1600)]);
  const one = (name, address, ticks) => `[[box]]\nname = "${name}"\nkind = "opensips"\naddress = "${address}"\ninterval = "1s"\nticks = [${ticks}]\n`;
  const config = one('sip1', 'http://127.0.0.1:1/mi', '"core:", "dialog:"') + one('live', box.address, '"core:"') + one('many', crowd.address, `"${name(0)}"`);
  const [browser, panel] = await Promise.all([launch(), startPanel({ config, interval: '1s', history: { sip1: history() } })]);
  const page = await newPage(browser, panel);
  await setUp(page, panel);
  await untilRecorded(page, 'many', 5);
  const session = await page.context().storageState();
  await page.context().close();
  return { browser, panel, box, session, stop: () => Promise.all([browser.close(), panel.stop(), box.stop(), crowd.stop()]) };
}

const PARTS = { paint, gestures, redraw, pixel, memory, scroll };
const chosen = process.argv.slice(2);
const unknown = chosen.find((part) => !(part in PARTS));
if (unknown) throw new Error(`${unknown} is no part: ${Object.keys(PARTS).join(', ')}`);
const stage = await startStage();
try {
  for (const [name, measure] of Object.entries(PARTS)) {
    if (chosen.length && !chosen.includes(name)) continue;
    say(`${name} …`);
    await measure(stage);
  }
} finally {
  // What was measured is told also where something goes wrong.
  console.log(['| figure | measured | beside | aim |', '|---|---|---|---|', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n'));
  await stage.stop();
}

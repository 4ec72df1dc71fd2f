// Starts what the tests look at: the panel, and a Kamailio under traffic. Each ends with the test that started it.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const binary = process.env.TICKMARK_BIN ?? path.resolve(here, '../../../target/debug/tickmark');

/** The longest that anything may take to start or stop, in milliseconds: a bound, never a wait. */
const LIMIT_MS = 30_000;

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGTERM')));

/**
 * Starts a program and reads its lines.
 * `line(pattern)` waits for a line of its output, also one that came already, and answers the match.
 */
function start(command, args, env = {}) {
  const child = spawn(command, args, { env: { ...environment(), ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(child);
  const lines = [];
  const errors = [];
  const waiting = new Set();
  const tell = () => waiting.forEach((look) => look());
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    tell();
  });
  readline.createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  const ended = new Promise((resolve) => {
    const end = (code) => {
      running.delete(child);
      child.ended = true;
      tell();
      resolve(code);
    };
    child.once('exit', end);
    child.once('error', (error) => {
      errors.push(String(error));
      end(null);
    });
  });

  const line = (pattern) =>
    new Promise((resolve, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer);
        waiting.delete(look);
        settle(value);
      };
      const fail = (why) =>
        done(reject, new Error(`${path.basename(command)} ${why}; it said:\n${[...lines, ...errors].join('\n')}`));
      const look = () => {
        const match = lines.map((text) => text.match(pattern)).find(Boolean);
        if (match) done(resolve, match);
        else if (child.ended) fail('ended before it was ready');
      };
      const timer = setTimeout(() => fail(`was not ready within ${LIMIT_MS} ms`), LIMIT_MS);
      waiting.add(look);
      look();
    });
  const stop = async (signal = 'SIGTERM') => {
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    child.kill(signal);
    const code = await ended;
    clearTimeout(timer);
    return code;
  };
  return { line, stop, errors };
}

/** The environment without what would configure the panel behind a test's back. */
function environment() {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('TICKMARK_'));
  return { ...Object.fromEntries(kept), TICKMARK_MI_LISTEN: 'off' };
}

/** A panel with a database of its own. `config` is the text of its configuration file; `history` is brought in: OpenMetrics of boxes, by name. */
export async function startPanel({ config = '', env = {}, interval = '500ms', history = {} } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'tickmark-e2e-'));
  const file = path.join(folder, 'tickmark.toml');
  await writeFile(file, config, { mode: 0o600 });
  const args = ['--database', `sqlite:${path.join(folder, 'tickmark.db')}`, '--interval', interval, '--config', file];
  const run = async (program, listen) => {
    const panel = start(program, ['--listen', listen, ...args], env);
    const [, home] = await panel.line(/^Tickmark is at (\S+)/);
    return { ...panel, origin: new URL(home).origin };
  };
  let panel = await run(binary, '127.0.0.1:0');
  for (const [box, text] of Object.entries(history)) {
    await panel.stop();
    const samples = path.join(folder, `${box}.txt`);
    await writeFile(samples, text);
    await start(binary, ['import', 'openmetrics', '--box', box, samples, '--database', `sqlite:${path.join(folder, 'tickmark.db')}`]).line(/samples were imported/);
    panel = await run(binary, '127.0.0.1:0');
  }
  return {
    origin: panel.origin,
    /** The one-time link of the first start. */
    setupLink: async () => (await panel.line(/^Set it up: (\S+)/))[1],
    log: panel.errors,
    /** Ends it and starts another build in its place: a copy is a file of another time. */
    replace: async () => {
      await panel.stop();
      const other = path.join(folder, 'tickmark');
      await copyFile(binary, other);
      panel = await run(other, new URL(panel.origin).host);
    },
    /** Ends the program; what it stored stays. */
    leave: () => panel.stop(),
    /** Starts it again where it was. */
    comeBack: async () => {
      panel = await run(binary, new URL(panel.origin).host);
    },
    stop: async () => {
      const code = await panel.stop();
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** A Kamailio under traffic; `address` is where it answers. */
export async function startKamailio() {
  const ports = await Promise.all([freePort('udp'), freePort('tcp'), freePort('udp')]);
  const kamailio = start(path.resolve(here, '../kamailio/run'), ports.map(String));
  await kamailio.line(/^ready$/);
  return { address: `http://127.0.0.1:${ports[1]}/RPC`, stop: () => kamailio.stop() };
}

/** A port that nobody has now. */
function freePort(protocol) {
  return new Promise((resolve, reject) => {
    const socket = protocol === 'udp' ? createSocket('udp4') : createServer();
    const bound = () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    };
    socket.once('error', reject);
    if (protocol === 'udp') socket.bind(0, '127.0.0.1', bound);
    else socket.listen(0, '127.0.0.1', bound);
  });
}

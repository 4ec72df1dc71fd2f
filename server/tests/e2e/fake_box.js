// A box whose answers a test decides: it speaks as a captured OpenSIPS 4.0.1 does.
import { createServer } from 'node:http';

/** The statistics that it has, unless a test gives others. */
const STATISTICS = { 'core:rcv_requests': 1000, 'core:drop_requests': 2, 'dialog:active_dialogs': 7, 'registrar:accepted_regs': 4 };

/** What its processes are, by their numbers. */
export const PROCESSES = ['attendant', 'MI FIFO', 'HTTPD 127.0.0.1:8888', 'timer', 'SIP receiver udp:127.0.0.1:5060', 'SIP receiver udp:127.0.0.1:5060', 'TCP main'];

/**
 * `stands(name)` says which values never change; `refuses` are questions that it does not know. Answers `{ address, be, asked, stop }`:
 * `be('up' | 'failing' | 'silent')` decides how it answers from now on, `asked(method)` says how often it was asked that.
 */
export async function startFakeBox(statistics = STATISTICS, stands = () => false, refuses = []) {
  /** What each was when it was reset. */
  const zeros = {};
  const began = Date.now();
  const counts = {};
  let mood = 'up';
  let polls = 0;
  const waiting = new Set();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const reply = () => {
      if (mood === 'failing') return response.writeHead(500).end();
      response.writeHead(200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify(answer(JSON.parse(body))));
    };
    if (mood === 'silent') waiting.add(reply);
    else reply();
  });
  const answer = ({ method, params, id }) => {
    const words = params?.statistics ?? [];
    if (words.includes('all')) polls += 1;
    const [group, bare] = [(name) => name.slice(0, name.indexOf(':')), (name) => name.slice(name.indexOf(':') + 1)];
    const reaches = (name) => words.some((word) => word === 'all' || word === `${group(name)}:` || word === bare(name));
    // All others move with every poll.
    const value = (name) => statistics[name] + (stands(name) ? 0 : polls) - (zeros[name] ?? 0);
    const results = {
      get_statistics: () => Object.fromEntries(Object.keys(statistics).filter(reaches).map((name) => [name, value(name)])),
      reset_statistics: () => {
        for (const name of Object.keys(statistics).filter(reaches)) zeros[name] = value(name) + (zeros[name] ?? 0);
        return 'OK';
      },
      list_statistics: () => Object.fromEntries(Object.keys(statistics).map((name) => [name, /active|size/.test(name) ? 'non-incremental' : 'incremental'])),
      version: () => ({ Server: 'OpenSIPS (4.0.1 (x86_64/linux))' }),
      ps: () => ({ Processes: PROCESSES.map((Type, index) => ({ ID: index, PID: 12610 + index, Type })) }),
      uptime: () => ({ Now: '', 'Up since': '', 'Up time': `${3600 + Math.floor((Date.now() - began) / 1000)} [sec]` }),
    };
    counts[method] = (counts[method] ?? 0) + 1;
    const result = refuses.includes(method) ? undefined : results[method];
    return result ? { jsonrpc: '2.0', result: result(), id } : { jsonrpc: '2.0', error: { code: -32601, message: 'Method not found' }, id };
  };
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    address: `http://127.0.0.1:${server.address().port}/mi`,
    asked: (method) => counts[method] ?? 0,
    be: (next) => {
      mood = next;
      if (mood !== 'silent') waiting.forEach((reply) => reply());
      waiting.clear();
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

// A box whose answers a test decides: it speaks as a captured OpenSIPS 4.0.1 does.
import { createServer } from 'node:http';

/** The statistics that it has, unless a test gives others. */
const STATISTICS = { 'core:rcv_requests': 1000, 'core:drop_requests': 2, 'dialog:active_dialogs': 7, 'registrar:accepted_regs': 4 };

/** `stands(name)` says which values never change. Answers `{ address, be, stop }`: `be('up' | 'failing' | 'silent')` decides how it answers from now on. */
export async function startFakeBox(statistics = STATISTICS, stands = () => false) {
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
  const answer = ({ method, id }) => {
    if (method === 'get_statistics') polls += 1;
    const results = {
      // All others move with every poll.
      get_statistics: () => Object.fromEntries(Object.entries(statistics).map(([name, value]) => [name, stands(name) ? value : value + polls])),
      list_statistics: () => Object.fromEntries(Object.keys(statistics).map((name) => [name, /active|size/.test(name) ? 'non-incremental' : 'incremental'])),
      version: () => ({ Server: 'OpenSIPS (4.0.1 (x86_64/linux))' }),
      uptime: () => ({ Now: '', 'Up since': '', 'Up time': `${3600 + polls} [sec]` }),
    };
    const result = results[method];
    return result ? { jsonrpc: '2.0', result: result(), id } : { jsonrpc: '2.0', error: { code: -32601, message: 'Method not found' }, id };
  };
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    address: `http://127.0.0.1:${server.address().port}/mi`,
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

import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type CongestionFacts,
  type CongestionSetting,
  openCongestion,
  planCongestion,
  readCongestionFacts,
  type SocketCongestion,
  socketCongestion,
} from '../../../src/store/http/congestion.js';
import { loadSocketCalls, type SocketCalls } from '../../../src/store/http/socket-calls.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { openLab } from '../../cli/lab.js';
import { TEST_TLS } from '../../doctor/tls.js';
import { socketOption } from './socket-option.js';

const cubicHost: CongestionFacts = {
  linux: true,
  current: 'cubic',
  allowed: ['reno', 'cubic'],
  available: ['reno', 'cubic', 'bbr'],
  privileged: false,
};

describe('which algorithm is tried', () => {
  it.each<[string, CongestionSetting, Partial<CongestionFacts>, string | undefined, RegExp | undefined]>([
    ['takes bbr where it is allowed', 'auto', { allowed: ['cubic', 'bbr'] }, 'bbr', undefined],
    ['tries bbr where the lists are hidden', 'auto', { allowed: undefined, available: undefined }, 'bbr', undefined],
    ['leaves alone what is bbr already', 'auto', { current: 'bbr' }, undefined, /own choice/],
    ['says that an ordinary user may not', 'auto', {}, undefined, /does not allow bbr.*xsync doctor/],
    ['lets root have what is loaded', 'auto', { privileged: true }, 'bbr', undefined],
    ['loads no kernel module unasked', 'auto', { privileged: true, available: ['reno', 'cubic'] }, undefined, /allow/],
    ['tries what was asked for by name', 'bbr', {}, 'bbr', undefined],
    ['sets cubic on a bbr host', 'cubic', { current: 'bbr' }, 'cubic', undefined],
    ['keeps its hands off', 'system', { allowed: ['bbr'] }, undefined, undefined],
    ['does nothing off Linux', 'auto', { linux: false }, undefined, /Linux only/],
  ])('%s', (_, setting, facts, algorithm, why) => {
    const plan = planCongestion(setting, { ...cubicHost, ...facts });
    expect(plan.algorithm).toBe(algorithm);
    if (why === undefined) expect(plan.why).toBeUndefined();
    else expect(plan.why).toMatch(why);
  });
});

describe('what became of it', () => {
  const calls = (refusal?: string): SocketCalls => ({
    refusal: () => refusal,
    set: () => refusal === undefined,
    limitUnsent: () => true,
    info: () => undefined,
  });

  it('goes on without koffi, and says what is missing', async () => {
    const missing = () => Promise.reject(new Error("Cannot find package 'koffi'"));
    const opened = await openCongestion('bbr', cubicHost, missing);
    expect(opened).toEqual({ note: 'congestion control cubic: setting bbr needs the optional package koffi' });
  });

  it('goes on when the kernel refuses, and says how it refused', async () => {
    const opened = await openCongestion('bbr', cubicHost, () => Promise.resolve(calls('EPERM')));
    expect(opened).toEqual({ note: 'congestion control cubic: the kernel refused bbr (EPERM)' });
  });

  it('names the algorithm that is set, and the one it replaces', async () => {
    const opened = await openCongestion('bbr', cubicHost, () => Promise.resolve(calls()));
    expect(opened.note).toBe('congestion control bbr on our own connections, instead of cubic');
    expect(opened.sockets?.algorithm).toBe('bbr');
  });

  it('hears from the kernel itself that it has no such algorithm', async () => {
    const { refusal } = await loadSocketCalls();
    expect(refusal('no-such-one')).toBe('ENOENT');
    expect(refusal(await another())).toBeUndefined();
  });
});

/** One that this machine allows and does not use by itself; reno is part of every kernel and never restricted. */
async function another(): Promise<string> {
  const { current, allowed } = await readCongestionFacts();
  return ['reno', ...(allowed ?? [])].find((name) => name !== current) ?? 'cubic';
}

const TCP_CONGESTION = 13;

function algorithmOf(socket: Socket): string {
  const value = Buffer.from(socketOption(socket, TCP_CONGESTION, 16));
  return value.toString('latin1').replace(/\0.*$/s, '');
}

const servers: Server[] = [];
const transports: HttpTransport[] = [];

afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('the connections of the transport', () => {
  it.each(['http', 'https'])('send over %s with the algorithm that was chosen', async (scheme) => {
    const server = scheme === 'http' ? createHttpServer() : createHttpsServer(TEST_TLS);
    server.on('request', (_, answer) => answer.end('ok'));
    const algorithm = await another();
    const inner = socketCongestion(algorithm, await loadSocketCalls());
    const sockets: Socket[] = [];
    const congestion: SocketCongestion = {
      algorithm,
      apply: (socket) => {
        inner.apply(socket);
        sockets.push(socket);
      },
    };
    const transport = new HttpTransport({ userAgent: 'test', congestion, tls: { ca: TEST_TLS.cert } });
    transports.push(transport);
    const origin = `${scheme}://localhost:${await listen(server)}`;
    const answer = await transport.request({ method: 'GET', origin, path: '/', headers: {} });
    expect(answer.body.toString()).toBe('ok');
    expect(sockets.map(algorithmOf)).toEqual([algorithm]);
  });

  it('answer all the same when the kernel refuses', async () => {
    const server = createHttpServer((_, answer) => answer.end('ok'));
    const congestion = socketCongestion('no-such-one', await loadSocketCalls());
    const transport = new HttpTransport({ userAgent: 'test', congestion });
    transports.push(transport);
    const origin = `http://127.0.0.1:${await listen(server)}`;
    const answer = await transport.request({ method: 'GET', origin, path: '/', headers: {} });
    expect(answer.status).toBe(200);
  });
});

describe('a copy with -v', () => {
  it('says what became of the congestion control, unless it was told to leave it alone', async () => {
    const lab = await openLab();
    try {
      const { err } = await lab.xsync('copy', '-v', lab.home, 'lab:bucket/auto');
      expect(err.match(/congestion control /g)).toHaveLength(1);
      const left = await lab.xsync('copy', '-v', '--congestion', 'system', lab.home, 'lab:bucket/system');
      expect(left.err).not.toContain('congestion');
      const sdk = await lab.xsync('copy', '-v', '--transport', 'sdk', lab.home, 'lab:bucket/sdk');
      expect(sdk.err).not.toContain('congestion');
    } finally {
      await lab.close();
    }
  });
});

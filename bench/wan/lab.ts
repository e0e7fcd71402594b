/**
 * A long line on one machine: two network namespaces for this process, `line` between them, and the stub as a store at
 * either end. The host's network is not changed, and everything is removed at the end.
 */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { type Counters, compile } from '../stub.js';
import type { Line } from './cases.js';

/** Addresses of the near and the far end. */
export const HERE = '10.77.0.1';
export const THERE = '10.77.0.2';
const DEVICE = 'wan';
/** The default socket buffers of Linux, and no TCP metrics kept between runs. */
const SYSCTLS = [
  'net.ipv4.tcp_no_metrics_save=1',
  'net.ipv4.tcp_wmem=4096 16384 4194304',
  'net.ipv4.tcp_rmem=4096 131072 6291456',
  'net.ipv4.ip_local_port_range=10000 65000',
];

type Child = ChildProcessByStdio<Writable, Readable, null>;

interface Way {
  packets: number;
  /** Bytes of delivered IP packets. */
  bytes: number;
  lost: number;
  queueFull: number;
  stalled: number;
}

/** The line's traffic since it was opened; `up` is toward the store. */
export interface LineStat {
  atMs: number;
  cpuS: number;
  /** Maximum delay of a packet's delivery since the previous stat. High values mean that the machine was too busy. */
  lateMs: number;
  up: Way;
  down: Way;
}

export type LineSettings = Line & { queue_ms: number; stall_every_s: number; stall_ms: number };

export class Lab {
  readonly #names: { here: string; there: string };
  #line: { child: Child; next: () => Promise<string> } | undefined;
  readonly #stubs: Child[] = [];
  /** The store's endpoint over the line. */
  endpoint = '';
  /** Of the store at the near end. */
  nearEndpoint = '';

  constructor() {
    const name = (side: string): string => `xsync-wan-${process.pid}-${side}`;
    this.#names = { here: name('a'), there: name('b') };
  }

  /** @param congestion what the far store sends with; it must be in the kernel */
  async open(congestion: string): Promise<void> {
    const { here, there } = this.#names;
    for (const name of [here, there]) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    const child = start([compile('line'), here, there, DEVICE]);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { value, done } = await lines.next();
      if (done) throw new Error('the line program ended');
      return value;
    };
    this.#line = { child, next };
    await next();
    address(here, HERE, THERE);
    address(there, THERE, HERE);
    this.endpoint = await this.#store(there, THERE, congestion);
    this.nearEndpoint = await this.#store(here, HERE);
  }

  async #store(namespace: string, address: string, congestion = ''): Promise<string> {
    const stub = start(['ip', 'netns', 'exec', namespace, compile('stub'), '1', '0', address, '', congestion]);
    this.#stubs.push(stub);
    const [ports] = (await once(createInterface(stub.stdout), 'line')) as [string];
    return `http://${address}:${ports.trim()}`;
  }

  /** Changes the line immediately. */
  set(settings: Partial<LineSettings>): void {
    const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    this.#line?.child.stdin.write(`${words.join(' ')}\n`);
  }

  async stat(): Promise<LineStat> {
    if (!this.#line) throw new Error('the line is not open');
    this.#line.child.stdin.write('stat\n');
    return JSON.parse(await this.#line.next()) as LineStat;
  }

  /** The network namespace of the far end. */
  get farName(): string {
    return this.#names.there;
  }

  /** The command that runs `command` at the near end. */
  near(command: readonly string[]): [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.#names.here, ...command];
  }

  /** Queried at the far end, without traffic on the line. */
  counters(): Counters {
    const ask = `fetch('${this.endpoint}/-/counters').then((a) => a.text()).then(console.log)`;
    return JSON.parse(ip('netns', 'exec', this.#names.there, process.execPath, '-e', ask)) as Counters;
  }

  /** Stops all processes and removes the namespaces, even after a failed `open`. */
  async close(): Promise<void> {
    for (const child of [...this.#stubs, this.#line?.child]) {
      if (!child || child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    }
    const made = ip('netns', 'list')
      .split('\n')
      .map((line) => line.split(' ', 1)[0]);
    for (const name of Object.values(this.#names)) if (made.includes(name)) ip('netns', 'del', name);
  }
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}

function address(namespace: string, own: string, peer: string): void {
  ip('-n', namespace, 'link', 'set', DEVICE, 'txqueuelen', '10000', 'up');
  ip('-n', namespace, 'addr', 'add', own, 'peer', peer, 'dev', DEVICE);
  ip('netns', 'exec', namespace, 'sysctl', '-qw', ...SYSCTLS);
}

function start([program = '', ...args]: readonly string[]): Child {
  return spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}

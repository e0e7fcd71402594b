/** The two ends of a bridge as processes, each with the credentials of its own side alone. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { startServer, type TestServer } from '../support/server/index.js';
import { Lab, type Running, until } from './harness.js';

export const SECRET = 'a shared secret of more than 32 characters'.replaceAll(' ', '-');

/** What the ends of a bridge run between. */
export interface Sides {
  lab: Lab;
  /** With the source. */
  near: TestServer;
  /** With the destination. */
  far: TestServer;
  /** Between the ends. */
  line: Line;
  /** Ended after each test. */
  running: Running[];
}

/** Both servers, with different credentials, until the tests of the file are over. */
export async function openSides(): Promise<Sides> {
  const [lab, near, far, line] = await Promise.all([
    Lab.start(),
    startServer({ s3: { accessKeyId: 'AKIANEAR', secretAccessKey: 'near-secret-of-the-source' } }),
    startServer({ oss: { accessKeyId: 'LTAIFAR', accessKeySecret: 'far-secret-of-the-destination' } }),
    Line.open(),
  ]);
  const running: Running[] = [];
  afterEach(async () => {
    for (const one of running.splice(0)) {
      one.kill('SIGKILL');
      await one.done;
    }
    for (const server of [near, far]) {
      server.faults.clear();
      server.requests.reset();
    }
  });
  afterAll(async () => {
    await line.close();
    await Promise.all([near.close(), far.close()]);
    await lab.close();
  });
  return { lab, near, far, line, running };
}

/** A home with the remote of one side. */
export async function homeOf(lab: Lab, name: string, remote: object): Promise<NodeJS.ProcessEnv> {
  const home = lab.path(name);
  await mkdir(join(home, 'config/xsync'), { recursive: true });
  await writeFile(join(home, 'config/xsync/config.yaml'), JSON.stringify({ remotes: { own: remote } }), {
    mode: 0o600,
  });
  return {
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_STATE_HOME: join(home, 'state'),
    XSYNC_BRIDGE_SECRET: SECRET,
    XSYNC_EVENTS_SECRET: SECRET,
  };
}

export function s3Remote({ s3 }: TestServer): object {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3;
  const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey };
  return { type: 's3', provider: 'aws', endpoint, region, ...keys, force_path_style: true };
}

export function ossRemote({ oss }: TestServer): object {
  const { endpoint, region, accessKeyId, accessKeySecret } = oss;
  return { type: 'oss', endpoint, region, access_key_id: accessKeyId, secret_access_key: accessKeySecret };
}

/** Where a pulling end listens. */
export async function listening(running: Running): Promise<string> {
  const found = () => /receiving tickets at (http:\/\/\S+?),/.exec(running.stderr)?.[1];
  await until(() => found() !== undefined, { orElse: running.done });
  const url = found();
  if (url === undefined) throw new Error(`it does not listen: ${running.stderr}`);
  return url;
}

/** A line that can be cut, and led elsewhere. */
export class Line {
  readonly url: string;
  to: string | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async open(): Promise<Line> {
    const server = createServer((socket) => line.#join(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const line = new Line(server, address.port);
    return line;
  }

  cut(): void {
    this.to = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket): void {
    this.#hold(near);
    if (this.to === undefined) return void near.destroy();
    const { hostname, port } = new URL(this.to);
    const far = createConnection(Number(port), hostname);
    this.#hold(far);
    near.pipe(far).pipe(near);
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

/** A bridge between two new buckets. */
export class Bridge {
  static #buckets = 0;
  readonly from: string;
  readonly to: string;
  readonly pushHome: NodeJS.ProcessEnv;
  readonly pullHome: NodeJS.ProcessEnv;
  readonly #world: BridgeWorld;

  private constructor(
    world: BridgeWorld,
    n: number,
    homes: { pushHome: NodeJS.ProcessEnv; pullHome: NodeJS.ProcessEnv },
  ) {
    this.#world = world;
    this.from = `near-${n}`;
    this.to = `far-${n}`;
    this.pushHome = homes.pushHome;
    this.pullHome = homes.pullHome;
  }

  static async open(world: BridgeWorld): Promise<Bridge> {
    const { lab, near, far } = world;
    const pushHome = await homeOf(lab, 'push', s3Remote(near));
    const pullHome = await homeOf(lab, 'pull', ossRemote(far));
    const bridge = new Bridge(world, ++Bridge.#buckets, { pushHome, pullHome });
    near.core.s3.createBucket(bridge.from);
    far.core.oss.createBucket(bridge.to);
    return bridge;
  }

  async pull(...options: string[]): Promise<Running> {
    const trusts = options.includes('--allow-private') ? [] : ['--allow-private', '127.0.0.1'];
    const one = this.#start(['pull', `own:${this.to}/in`, '--listen', ':0', ...trusts, ...options], this.pullHome);
    this.#world.line.to = await listening(one);
    return one;
  }

  push(...options: string[]): Running {
    return this.pushFrom('', ...options);
  }

  /** @param path in the source's bucket */
  pushFrom(path: string, ...options: string[]): Running {
    return this.#start(['push', `own:${this.from}${path}`, this.#world.line.url, ...options], this.pushHome);
  }

  put(key: string, bytes: Buffer | string): void {
    this.#world.near.core.s3.put(this.from, key, bytes);
  }

  remove(key: string): void {
    this.#world.near.core.s3.delete(this.from, key);
  }

  keys(): string[] {
    return this.#world.far.core.oss.list(this.to).map(({ key }) => key);
  }

  read(key: string): Buffer {
    return this.#world.far.core.oss.read(this.to, `in/${key}`);
  }

  #start(args: string[], env: NodeJS.ProcessEnv): Running {
    const one = this.#world.lab.start(['bridge', ...args], env);
    this.#world.running.push(one);
    return one;
  }
}

export interface BridgeWorld {
  lab: Lab;
  near: TestServer;
  far: TestServer;
  line: Line;
  /** Ended after each test. */
  running: Running[];
}

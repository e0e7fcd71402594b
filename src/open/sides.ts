/**
 * From a location to a wrapped store. HTTP is loaded on first use, because a local copy needs none.
 * Tests: test/store/registry.test.ts
 */
import type { Config } from '../config/load.js';
import { type ConfiguredLocation, parseLocation, parseRemote } from '../config/location.js';
import { backendOf } from '../config/schema.js';
import type { LineWatch } from '../model/line-state.js';
import { PageGuard } from '../model/paging.js';
import type { Spool } from '../model/spool.js';
import type { BucketPages, Opened, Resources } from '../store/backend.js';
import type { AddressGuard } from '../store/http/address-guard.js';
import { type Congestion, openCongestion } from '../store/http/congestion.js';
import type { Connection } from '../store/http/connection.js';
import type { ConnectionSettings } from '../store/http/settings.js';
import type { HttpTransport } from '../store/http/transport.js';
import type { ObjectStore } from '../store/port.js';
import { dryRun } from '../store/wrap/dry-run.js';
import { Findings } from '../store/wrap/findings.js';
import { retrying } from '../store/wrap/retry.js';
import { type SharedStore, share } from '../store/wrap/share.js';
import { paceBytes, RateLimits, throttle } from '../store/wrap/throttle.js';
import { VERSION } from '../version.js';
import { fingerprintOf } from './fingerprint.js';
import { historyOf, inPast } from './past.js';
import type { OpenAccount, OpenSettings, OpenSide } from './settings.js';

/** An opened store, with the notes from opening it. */
interface OpenedPlace extends Opened {
  notes: string[];
  findings: Findings;
  connection?: Connection;
  watchLine(): LineWatch;
  close(): Promise<void>;
}

export interface OpenAs {
  readOnly?: boolean;
  file?: boolean;
  written?: boolean;
  atMs?: number;
}

/** A side in another thread than that of the run. */
export type ReopenedSide = SharedStore & Pick<OpenedPlace, 'findings' | 'close'>;

/** Opens the sides of one command with shared limits. */
export class Opener {
  readonly #settings: OpenSettings;
  readonly #config: Config;
  readonly #limits: RateLimits;
  #congestion: Promise<Congestion> | undefined;
  /** Only sides on local disk were opened so far. */
  #localOnly: boolean | undefined;

  constructor(settings: OpenSettings, config: Config) {
    const { tpslimit, tpslimitBurst, bandwidth } = settings;
    this.#settings = settings;
    this.#config = config;
    this.#limits = new RateLimits({
      requestsPerSecond: tpslimit,
      burst: tpslimitBurst,
      up: bandwidth && ((now) => bandwidth(now).up),
      down: bandwidth && ((now) => bandwidth(now).down),
    });
  }

  /**
   * @param as `readOnly`: every write is refused; `file`: a local path that does not exist is a file; `written`: what is
   *   written there gets the encryption of the settings; `atMs`: as it stood at this time
   * @throws usage: nothing is known of its past
   */
  async side(text: string, as: OpenAs = {}): Promise<OpenSide> {
    const location = parseLocation(text, this.#config);
    const opened = await this.#open(location, as);
    const bare = as.readOnly ? dryRun(opened.store) : opened.store;
    const limit = this.#limitOf(bare);
    const path = opened.path ?? location.path;
    const shared = share(bare, { attempts: this.#settings.lowLevelRetries }, limit);
    const { atMs } = as;
    return {
      ...shared,
      ...(atMs !== undefined && { ...(await this.#past(opened, shared, text)), ...inPast(shared, atMs), atMs }),
      bucket: opened.store.identity.bucket,
      givenAs: opened.givenAs ?? opened.store.identity.bucket,
      path,
      prefix: path === '' || path.endsWith('/') ? path : `${path}/`,
      text,
      notes: opened.notes,
      findings: opened.findings,
      acceleration: opened.acceleration,
      prices: opened.prices,
      accelerated: opened.accelerated,
      settings: fingerprintOf(
        opened.key === undefined ? location.remote : [location.remote, opened.key],
        this.#settings.env,
      ),
      // A past version is looked up once, by the thread that lists.
      again: opened.again && atMs === undefined ? { ...location, ...opened.again } : undefined,
      refuseUnwritable: opened.refuseUnwritable,
      refuseUnreadable: opened.refuseUnreadable,
      connection: opened.connection,
      watchLine: opened.watchLine,
      close: opened.close,
    };
  }

  /**
   * A side over a store that the caller makes, with a transport of its own.
   * @param guard which addresses it may connect to
   */
  async given(text: string, guard: AddressGuard, make: (transport: HttpTransport) => ObjectStore): Promise<OpenSide> {
    const { transport, close, connection } = await this.http(guard);
    const store = make(transport);
    const { bucket } = store.identity;
    const names = { bucket, givenAs: bucket, path: '', prefix: '', text, settings: '' };
    const shared = share(store, { attempts: this.#settings.lowLevelRetries }, this.#limitOf(store));
    return { ...shared, ...names, notes: [], findings: new Findings(), connection, close };
  }

  /** A transport with the proxies and certificates of the command line. */
  async http(
    guard?: AddressGuard,
  ): Promise<{ transport: HttpTransport; connection: Connection | undefined; close(): Promise<void> }> {
    const made: { close(): Promise<void> | void }[] = [];
    const { connect, used } = this.#connector(made);
    const transport = await (await connect({})).http(guard);
    const close = async (): Promise<void> => {
      for (const one of made) await one.close();
    };
    return { transport, connection: used(), close };
  }

  /** A side that another thread has opened, by what its `again` says. */
  async again(location: ConfiguredLocation, as: Pick<OpenAs, 'written'> = {}): Promise<ReopenedSide> {
    const { store, findings, close } = await this.#open(location, as);
    return { ...share(store, { attempts: this.#settings.lowLevelRetries }), findings, close };
  }

  async #past({ close }: OpenedPlace, { store }: SharedStore, text: string): Promise<{ warnings?: string[] }> {
    try {
      return await historyOf(store, text);
    } catch (error) {
      await close();
      throw error;
    }
  }

  /** The buckets of a remote without a bucket; undefined for any other location. @throws usage, config */
  async account(text: string): Promise<OpenAccount | undefined> {
    const found = parseRemote(text, this.#config);
    const backend = found && backendOf(found.remote);
    if (!found || !backend?.buckets) return undefined;
    const made: { close(): Promise<void> | void }[] = [];
    const page = await backend.buckets(found.remote, found.name, this.#resources(this.#connector(made).connect));
    const repeat = retrying({ attempts: this.#settings.lowLevelRetries });
    return {
      buckets: async function* () {
        let token: string | undefined;
        const guard = new PageGuard(text);
        do {
          const next: Awaited<ReturnType<BucketPages>> = await repeat({ kind: 'list' }, () => page(token));
          token = next.nextToken;
          guard.follow({ first: next.buckets[0]?.name, last: next.buckets.at(-1)?.name, token });
          yield next.buckets;
        } while (token !== undefined);
      },
      close: async () => {
        for (const one of made) await one.close();
      },
    };
  }

  /**
   * Bytes between a disk and the network are limited on the network. Bytes from disk to disk are limited where they are
   * written: at the second side.
   */
  #limitOf({ capabilities }: ObjectStore): (store: ObjectStore) => ObjectStore {
    const limits = this.#limits;
    if (!capabilities.local) {
      this.#localOnly = false;
      return (store) => throttle(this.#settings.network?.throttled(store) ?? store, limits);
    }
    const second = this.#localOnly === true;
    this.#localOnly ??= true;
    return (store) => (second ? paceBytes(store, limits) : store);
  }

  async #open(
    { name, remote, bucket, text }: ConfiguredLocation,
    as: { file?: boolean; written?: boolean },
  ): Promise<OpenedPlace> {
    const label = `${name}:${text.includes('://') ? '//' : ''}${bucket}`;
    const notes: string[] = [];
    const findings = new Findings();
    const tell = (message: string): void => findings.add(`${text}: ${message}`);
    const made: { close(): Promise<void> | void }[] = [];
    const { connect, used, watchLine } = this.#connector(made, notes, as.written);
    const place = { remote: name, bucket, label, asFile: as.file === true, asFolder: text.endsWith('/') };
    const encryption = as.written ? this.#settings.encryption : undefined;
    const resources = { ...this.#resources(connect, tell), encryption };
    const opened = await backendOf(remote).open(remote, place, resources);
    if (opened.acceleration !== undefined) notes.push(`${text}: acceleration ${opened.acceleration}`);
    const close = async (): Promise<void> => {
      await opened.store.close();
      for (const one of made) await one.close();
    };
    return { ...opened, notes, findings, connection: used(), watchLine, close };
  }

  /**
   * @param made receives what must be closed
   * @param notes what the congestion control has to say
   * @param written of a side that is written: one of a pair does not wait for a connection that the other one holds
   */
  #connector(made: { close(): Promise<void> | void }[], notes: string[] = [], written = false) {
    let used: Connection | undefined;
    const transports: HttpTransport[] = [];
    const connect: Resources['connect'] = async (settings) => {
      const connection = await this.#connection(settings);
      used = connection;
      const http = async (guard?: AddressGuard) => {
        const { transport, note, close } = await this.#transport(connection, guard, settings, written);
        made.push({ close });
        transports.push(transport);
        if (note !== undefined) notes.push(note);
        return transport;
      };
      const agents = async () => {
        const { agentsOf } = await import('../store/http/agents.js');
        const { httpAgent, httpsAgent } = agentsOf(connection, this.#settings.contimeoutMs || undefined);
        made.push({ close: () => httpAgent.destroy() }, { close: () => httpsAgent.destroy() });
        return { httpAgent, httpsAgent };
      };
      return { http, agents };
    };
    return { connect, used: () => used, watchLine: () => watchAll(transports) };
  }

  async #connection(settings: ConnectionSettings): Promise<Connection> {
    const { caCert, clientCert, clientKey, checkCertificate, env } = this.#settings;
    const { openConnection } = await import('../store/http/connection.js');
    return openConnection(settings, { caCert, clientCert, clientKey, checkCertificate }, env);
  }

  /** A table that sorts what does not fit into memory. The caller disposes of it. */
  async spool(): Promise<Spool> {
    return new (await import('../manifest/sqlite/spool.js')).SqliteSpool('');
  }

  #resources(connect: Resources['connect'], tell?: Resources['tell']): Resources {
    const { transport, accelerate, links = 'auto', copyLinks, localEncoding } = this.#settings;
    const { localXattrs, localPermissions = 'none' } = this.#settings;
    const { contimeoutMs, timeoutMs, env, allowHost, allowPrivate } = this.#settings;
    return {
      transport,
      connect,
      spool: () => this.spool(),
      accelerate,
      copyLinks: links === 'auto' ? copyLinks || undefined : links === 'follow',
      tell,
      localEncoding,
      localXattrs,
      localPermissions: localPermissions === 'none' ? undefined : localPermissions,
      allowHost,
      allowPrivate,
      connectTimeoutMs: contimeoutMs || undefined,
      idleTimeoutMs: timeoutMs || undefined,
      env,
    };
  }

  /** `note`: the result of setting the congestion control, for the first transport only. */
  async #transport(
    { tls, proxyOf }: Connection,
    guard: AddressGuard | undefined,
    own: ConnectionSettings,
    written: boolean,
  ): Promise<{ transport: HttpTransport; note?: string; close(): Promise<void> }> {
    const { connections, timeoutMs, contimeoutMs, congestion = 'auto', network } = this.#settings;
    const first = this.#congestion === undefined;
    this.#congestion ??= openCongestion(congestion);
    const [{ HttpTransport }, { sockets, note }] = await Promise.all([
      import('../store/http/transport.js'),
      this.#congestion,
    ]);
    const make = (): HttpTransport =>
      new HttpTransport({
        connections: network?.connections ?? connections,
        idleTimeoutMs: timeoutMs || undefined,
        connectTimeoutMs: contimeoutMs || undefined,
        congestion: sockets,
        tls,
        proxyOf,
        guard,
        userAgent: `xsync/${VERSION}`,
      });
    const told = first ? note : undefined;
    // A guard knows which hosts one list of URLs may lead to.
    if (!network || guard) {
      const transport = make();
      return { transport, note: told, close: () => transport.close() };
    }
    const id = JSON.stringify([written, own.proxy, tls, timeoutMs, contimeoutMs, congestion]);
    return { ...network.transport(id, make), note: told };
  }
}

/** The first line that is far: one side has one server for objects. @param transports more may be added */
function watchAll(transports: readonly HttpTransport[]): LineWatch {
  const watches: LineWatch[] = [];
  return () => {
    for (const transport of transports.slice(watches.length)) watches.push(transport.watchLine());
    return watches.map((look) => look()).find((line) => line);
  };
}

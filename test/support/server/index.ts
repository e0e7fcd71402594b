/**
 * A strict server for the S3 and OSS protocols over real HTTP on loopback, for tests and the quick start. It refuses
 * the same requests as the services, with their codes, computes their ETags and checksums, counts requests, and injects
 * faults. Facts come from the vendors' documentation and SDKs, not from this project's clients.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Namespace, type StorageCore } from './core.js';
import { FaultPlan } from './faults.js';
import { loadServerHashes } from './hashes.js';
import { RequestLog } from './log.js';
import type { OssSettings } from './oss/call.js';
import { ossService } from './oss/service.js';
import type { OssCredentials } from './oss/sign.js';
import type { S3Settings } from './s3/call.js';
import { type Flaw, imperfect } from './s3/imperfect.js';
import { s3Service } from './s3/service.js';
import type { S3Credentials } from './s3/sigv4.js';
import { type Service, type Shared, serve } from './serve.js';

export type { Namespace, StorageCore } from './core.js';
export type { Fault, FaultMatch, FaultPlan, Moment } from './faults.js';
export type { RequestKind } from './kinds.js';
export type { LogEntry, LogFilter, RequestLog } from './log.js';
export type { BucketOptions, Protocol, PutInput, StoredObject, StoredUpload } from './model.js';
export type { OssCredentials } from './oss/sign.js';
export { planterOf } from './planter.js';
export { FLAWS, type Flaw, type FlawName } from './s3/imperfect.js';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

export interface TestServerOptions {
  /** Credentials (with `sessionToken` and `expiresAtMs` for temporary ones), region and limits of the S3 side. */
  s3?: Partial<Omit<S3Settings, 'credentials'> & S3Credentials>;
  oss?: Partial<Omit<OssSettings, 'credentials'> & OssCredentials>;
  /** What the S3 side does not do as Amazon does. */
  flaw?: Flaw;
  /** PEM. If set, both sides use HTTPS. */
  tls?: { key: string; cert: string };
  /** Where both sides listen (default 127.0.0.1). */
  host?: string;
}

export interface TestServer {
  /** Path style: `<endpoint>/<bucket>/<key>`. `<bucket>.localhost` as Host also works. */
  readonly s3: {
    endpoint: string;
    region: string;
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken?: string;
  };
  /**
   * `http://oss.test:<port>`, whose virtual hosts `resolver.mjs` leads here; with `pathStyle` or TLS, an address.
   * `<bucket>.localhost` and `<bucket>.oss-<region>.aliyuncs.com` as Host also work.
   */
  readonly oss: {
    endpoint: string;
    region: string;
    accessKeyId: string;
    accessKeySecret: string;
    securityToken?: string;
  };
  /** Sessions that OSS accepts besides the credentials; a session that is taken out has expired. */
  readonly ossSessions: OssCredentials[];
  /** Setup and inspection without HTTP: `core.s3` and `core.oss` are separate stores. */
  readonly core: StorageCore;
  readonly requests: RequestLog;
  readonly faults: FaultPlan;
  /** Added to the machine's clock. */
  clockOffsetMs: number;
  /** Internal errors of the server (also printed as warnings). Tests can assert that there are none. */
  readonly bugs: unknown[];
  /** Ends all connections and frees the ports. */
  close(): Promise<void>;
}

/** Starts both sides on free ports. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  await loadServerHashes();
  const s3 = s3Settings(options.s3 ?? {});
  const oss = ossSettings(options.oss ?? {}, options.tls !== undefined);
  const bugs: unknown[] = [];
  let clockOffsetMs = 0;
  const clock = () => Date.now() + clockOffsetMs;
  const core: StorageCore = {
    s3: new Namespace({ protocol: 's3', region: s3.region, now: clock }),
    oss: new Namespace({ protocol: 'oss', region: oss.region, now: clock }),
  };
  const shared: Shared = {
    core,
    log: new RequestLog(),
    plan: new FaultPlan(),
    clock,
    onBug: (error) => {
      bugs.push(error);
      process.emitWarning(error instanceof Error ? error : String(error));
    },
  };
  const servers = [
    listener(imperfect(s3Service(s3, core.s3), options.flaw ?? {}), shared, options),
    listener(ossService(oss, core.oss), shared, options),
  ];
  const [s3Endpoint = '', ossEndpoint = ''] = await Promise.all(servers.map((server) => listen(server, options)));
  return {
    s3: { endpoint: s3Endpoint, region: s3.region, ...withoutExpiry(s3.credentials) },
    oss: { endpoint: named(ossEndpoint, oss), region: oss.region, ...withoutExpiry(oss.credentials) },
    ossSessions: oss.sessions,
    core,
    requests: shared.log,
    faults: shared.plan,
    bugs,
    get clockOffsetMs() {
      return clockOffsetMs;
    },
    set clockOffsetMs(ms: number) {
      clockOffsetMs = ms;
    },
    close: async () => {
      await Promise.all(servers.map(close));
    },
  };
}

function s3Settings(options: NonNullable<TestServerOptions['s3']>): S3Settings {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs, ...rest } = options;
  return {
    region: 'us-east-1',
    minPartSize: 5 * MiB,
    maxPutSize: 5 * GiB,
    defaultChecksum: true,
    ...rest,
    credentials: {
      accessKeyId: accessKeyId ?? 'AKIATESTSERVER',
      secretAccessKey: secretAccessKey ?? 's3-test-secret',
      ...(sessionToken === undefined ? {} : { sessionToken }),
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    },
  };
}

function ossSettings(options: NonNullable<TestServerOptions['oss']>, tls: boolean): OssSettings {
  const { accessKeyId, accessKeySecret, securityToken, expiresAtMs, ...rest } = options;
  return {
    region: 'cn-hangzhou',
    minPartSize: 100 * 1024,
    maxPutSize: 5 * GiB,
    allowV1: true,
    pathStyle: tls,
    sessions: [],
    cnames: {},
    publicEndpointForbidden: false,
    ...rest,
    credentials: {
      accessKeyId: accessKeyId ?? 'LTAITESTSERVER',
      accessKeySecret: accessKeySecret ?? 'oss-test-secret',
      ...(securityToken === undefined ? {} : { securityToken }),
      ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    },
  };
}

function named(endpoint: string, { pathStyle }: OssSettings): string {
  return pathStyle ? endpoint : endpoint.replace('127.0.0.1', 'oss.test');
}

function withoutExpiry<T extends { expiresAtMs?: number }>({ expiresAtMs: _, ...rest }: T): Omit<T, 'expiresAtMs'> {
  return rest;
}

function listener(service: Service, shared: Shared, { tls }: TestServerOptions): Server {
  const settings = { maxHeaderSize: 64 * 1024, keepAliveTimeout: 60_000, requestTimeout: 0, headersTimeout: 0 };
  const answer =
    (expectsContinue: boolean): RequestListener =>
    (req, res) => {
      serve(service, shared, req, res, expectsContinue).catch(shared.onBug);
    };
  const server = tls ? createTlsServer({ ...settings, ...tls }, answer(false)) : createServer(settings, answer(false));
  server.on('checkContinue', answer(true));
  return server;
}

function listen(server: Server, { tls, host = '127.0.0.1' }: TestServerOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host, backlog: 4096 }, () => {
      const { port } = server.address() as AddressInfo;
      resolve(`${tls ? 'https' : 'http'}://${host}:${port}`);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

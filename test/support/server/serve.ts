import type { IncomingMessage, ServerResponse } from 'node:http';
import { Dropped, forever, reset, sleep } from './body.js';
import type { StorageCore } from './core.js';
import { errorForStatus, ServiceError } from './errors.js';
import { Exchange, type Locate, type Reply } from './exchange.js';
import type { Fault, FaultPlan } from './faults.js';
import type { RequestLog } from './log.js';
import type { Protocol } from './model.js';
import { send } from './respond.js';

/** The protocol-specific steps of a request. */
export interface Service {
  readonly protocol: Protocol;
  /** The bucket and the key that a request names. @throws ServiceError for an address that the service refuses */
  readonly locate: Locate;
  /** Verifies signature, clock and token, reads the body, executes the request and returns the response. */
  handle(exchange: Exchange, beforeEffect: () => Promise<void>): Promise<Reply>;
  /** Renders an error response. */
  refuse(exchange: Exchange, error: ServiceError): Reply;
  /** Headers of every response. */
  common(exchange: Exchange): Record<string, string>;
}

export interface Shared {
  core: StorageCore;
  log: RequestLog;
  plan: FaultPlan;
  /** The server's clock. */
  clock: () => number;
  /** Receives internal errors of the server, so that tests can assert on them. */
  onBug: (error: unknown) => void;
}

let serial = 0;

/** Processes a request: log, faults, protocol, response. */
export async function serve(
  service: Service,
  shared: Shared,
  req: IncomingMessage,
  res: ServerResponse,
  expectsContinue: boolean,
): Promise<void> {
  const requestId = (++serial).toString(16).toUpperCase().padStart(24, '0');
  let exchange: Exchange;
  try {
    const { locate } = service;
    exchange = new Exchange(service.protocol, req, res, { clock: shared.clock, requestId, expectsContinue, locate });
  } catch {
    // The path or query is not UTF-8, so the request cannot be logged.
    res.writeHead(400, { 'content-length': '0', connection: 'close' }).end();
    return;
  }
  shared.log.add(exchange.entry);
  exchange.faults = shared.plan.take(exchange.entry);
  exchange.entry.faulted = exchange.faults.length > 0;
  try {
    const reply = await answer(service, shared, exchange);
    await send(exchange, { ...reply, headers: { ...service.common(exchange), ...reply.headers } });
  } catch (error) {
    if (error instanceof Dropped) return;
    shared.onBug(error);
    res.destroy();
  }
}

async function answer(service: Service, shared: Shared, exchange: Exchange): Promise<Reply> {
  try {
    await before(exchange);
    const reply = await service.handle(exchange, () => beforeEffect(shared, exchange));
    await after(exchange);
    return reply;
  } catch (error) {
    if (error instanceof ServiceError) return service.refuse(exchange, error);
    throw error;
  }
}

async function before(exchange: Exchange): Promise<void> {
  const delay = exchange.fault('slow')?.delayMs;
  if (delay) await sleep(delay);
  await cut(exchange, 'before');
  const status = exchange.fault('status');
  if (status && !status.effect) throw injected(exchange, status);
}

async function after(exchange: Exchange): Promise<void> {
  await cut(exchange, 'after');
  const status = exchange.fault('status');
  if (status?.effect) throw injected(exchange, status);
}

async function cut(exchange: Exchange, at: 'before' | 'after'): Promise<void> {
  for (const fault of exchange.faults) {
    if (fault.kind === 'reset' && fault.at === at) reset(exchange);
    if (fault.kind === 'stall' && fault.at === at) await forever();
  }
}

function injected(exchange: Exchange, fault: Extract<Fault, { kind: 'status' }>): ServiceError {
  const { code, message } = errorForStatus(fault.status, fault.code, fault.message);
  const headers: Record<string, string> = {};
  if (fault.retryAfter !== undefined) headers['retry-after'] = String(fault.retryAfter);
  if (fault.qosDelayMs !== undefined && exchange.protocol === 'oss') {
    headers['x-oss-qos-delay-time'] = String(fault.qosDelayMs);
  }
  return new ServiceError(code, { status: fault.status, message, headers });
}

/** Faults that change the stored state between authentication and effect. */
async function beforeEffect(shared: Shared, exchange: Exchange): Promise<void> {
  const namespace = shared.core[exchange.protocol];
  const { bucketName, key } = exchange;
  for (const fault of exchange.faults) {
    if (fault.kind === 'vanish') namespace.delete(bucketName, key);
    if (fault.kind === 'change') {
      const old = namespace.get(bucketName, key);
      const bytes = fault.bytes ?? old?.bytes.withFlippedBit().buffer() ?? Buffer.alloc(0);
      namespace.put(bucketName, key, bytes, old ? { headers: old.headers, metadata: old.metadata } : {});
    }
    if (fault.kind === 'call') await fault.run(shared.core, exchange.entry);
  }
}

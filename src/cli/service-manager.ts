/**
 * Reports to a service manager by the protocol of sd_notify(3): ready, status, watchdog, reloading, stopping. Without
 * NOTIFY_SOCKET there is no service manager.
 * Tests: test/e2e/watch.test.ts
 */
import type { RunEvent } from '../engine/events.js';
import { reasonOf } from '../model/errno.js';
import type { SdNotify } from '../native/sd-notify.js';
import { formatBytes, plural } from './render/format.js';

/** Minimum time between two status messages during a run. */
const STATUS_MS = 5000;

export interface ManagedService {
  /** It is waiting for its next poll; otherwise events show that it is alive. */
  rests(): boolean;
  /** Called once. */
  complain(message: string): void;
}

/** @returns undefined without a service manager; nothing is loaded then */
export async function openServiceManager(
  env: NodeJS.ProcessEnv,
  service: ManagedService,
): Promise<ServiceManager | undefined> {
  const { NOTIFY_SOCKET: address, WATCHDOG_USEC, WATCHDOG_PID } = env;
  if (!address) return undefined;
  const ours = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  const watchdogMs = ours ? Number(WATCHDOG_USEC ?? 0) / 1000 : 0;
  try {
    const { openSdNotify } = await import('../native/sd-notify.js');
    return new ServiceManager(await openSdNotify(address), service, watchdogMs);
  } catch (error) {
    service.complain(complaintOf(error));
    return undefined;
  }
}

export class ServiceManager {
  readonly #socket: SdNotify;
  readonly #service: ManagedService;
  readonly #watchdogMs: number;
  readonly #watchdog: NodeJS.Timeout | undefined;
  /** Messages go out in order. */
  #sending: Promise<void> = Promise.resolve();
  #ready = false;
  #complained = false;
  #lastEventMs = performance.now();
  #statusMs = 0;
  #copied = { objects: 0, bytes: 0 };

  /** @param watchdogMs the service manager kills a service that is silent for this long; 0: it has no watchdog */
  constructor(socket: SdNotify, service: ManagedService, watchdogMs: number) {
    this.#socket = socket;
    this.#service = service;
    this.#watchdogMs = watchdogMs;
    if (watchdogMs > 0) this.#watchdog = setInterval(() => this.#beat(), watchdogMs / 2).unref();
  }

  hear(event: RunEvent): void {
    this.#lastEventMs = performance.now();
    if (event.type === 'copied') {
      this.#copied.objects++;
      this.#copied.bytes += event.size;
    }
    // The store has answered, or the service is set up and waits for an external problem to end.
    if (['listed', 'end', 'waiting', 'trouble'].includes(event.type)) this.#becomeReady();
    const status = this.#statusOf(event);
    if (status !== undefined) this.#send(`STATUS=${status}`);
  }

  /** Reports the service as reloading while `work` runs. */
  async reloading(work: () => Promise<void>): Promise<void> {
    this.#send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    try {
      await work();
    } finally {
      this.#send('READY=1');
    }
  }

  stopping(): void {
    this.#send('STOPPING=1', 'STATUS=ending: what has begun is finished');
  }

  async close(): Promise<void> {
    clearInterval(this.#watchdog);
    await this.#sending;
    this.#socket.close();
  }

  #becomeReady(): void {
    if (this.#ready) return;
    this.#ready = true;
    this.#send('READY=1');
  }

  /** A pass may take hours, but it lists, copies or retries meanwhile. One that does none of these hangs. */
  #beat(): void {
    if (this.#service.rests() || performance.now() - this.#lastEventMs < this.#watchdogMs) this.#send('WATCHDOG=1');
  }

  #statusOf(event: RunEvent): string | undefined {
    const copied = `${plural(this.#copied.objects, 'object')}, ${formatBytes(this.#copied.bytes)} copied so far`;
    switch (event.type) {
      case 'waiting':
        return `next pass at ${new Date(event.untilMs).toISOString().slice(11, 19)} UTC; ${copied}`;
      case 'trouble':
        return `waiting for better times: ${event.message}`;
      case 'well':
        return `well again; ${copied}`;
      case 'listed':
      case 'copied':
      case 'progress': {
        const now = performance.now();
        if (now - this.#statusMs < STATUS_MS) return undefined;
        this.#statusMs = now;
        return `at work; ${copied}`;
      }
      default:
        return undefined;
    }
  }

  #send(...lines: string[]): void {
    // A newline ends a message.
    const clean = lines.map((line) => line.replace(/\s+/g, ' '));
    this.#sending = this.#sending.then(async () => {
      try {
        await this.#socket.send(clean);
      } catch (error) {
        if (!this.#complained) this.#service.complain(complaintOf(error));
        this.#complained = true;
      }
    });
  }
}

function complaintOf(error: unknown): string {
  return `cannot report to the service manager: ${reasonOf(error)}`;
}

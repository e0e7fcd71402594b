/**
 * Chooses the TCP congestion control algorithm. Over a long, lossy line one BBR connection carries as much as dozens
 * of CUBIC ones. Only the sender chooses it: for uploads, this host. On Linux any process may set an algorithm of
 * `net.ipv4.tcp_allowed_congestion_control` on its own sockets with `setsockopt(TCP_CONGESTION)` (tcp(7)). Node has no
 * call for this, so it goes through `socket-calls.ts`, and only when there is something to set.
 */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { descriptorOf, loadSocketCalls, type SocketCalls } from './socket-calls.js';

/** `auto`: bbr if the kernel allows it to this process, otherwise the system's choice. `system`: sets nothing. */
export type CongestionSetting = 'auto' | 'bbr' | 'cubic' | 'system';

/** What the kernel reports. Lists are absent outside Linux and in containers that hide them. */
export interface CongestionFacts {
  linux: boolean;
  /** The default algorithm of new sockets. */
  current?: string;
  /** Algorithms that an unprivileged process may choose. */
  allowed?: readonly string[];
  /** Algorithms that are built in or loaded; root may choose any of them. */
  available?: readonly string[];
  privileged: boolean;
}

/** Sets the algorithm of connected sockets. If the kernel refuses, the socket keeps the system's algorithm. */
export interface SocketCongestion {
  readonly algorithm: string;
  apply(socket: Socket): void;
}

export interface Congestion {
  /** Absent if there is nothing to set, or it cannot be set. */
  sockets?: SocketCongestion;
  /** What was set and why, in words; absent for `system`. */
  note?: string;
}

const PROC = '/proc/sys/net/ipv4';

export async function readCongestionFacts(): Promise<CongestionFacts> {
  const linux = process.platform === 'linux';
  const [current, allowed, available] = await Promise.all(
    ['tcp_congestion_control', 'tcp_allowed_congestion_control', 'tcp_available_congestion_control'].map((name) =>
      linux ? wordsIn(`${PROC}/${name}`) : undefined,
    ),
  );
  return { linux, current: current?.[0], allowed, available, privileged: process.getuid?.() === 0 };
}

async function wordsIn(file: string): Promise<string[] | undefined> {
  try {
    return (await readFile(file, 'utf8')).split(/\s+/).filter((word) => word !== '');
  } catch {
    // Hidden in this container; the attempt to set it shows whether it is allowed.
    return undefined;
  }
}

/**
 * The algorithm to try, or why there is none. `auto` never makes the kernel load a module, which it would do for
 * root. An algorithm that is set by name is always tried.
 */
export function planCongestion(
  setting: CongestionSetting,
  facts: CongestionFacts,
): { algorithm?: string; why?: string } {
  if (setting === 'system') return {};
  const algorithm = setting === 'auto' ? 'bbr' : setting;
  if (!facts.linux) return { why: 'it can be chosen on Linux only' };
  if (facts.current === algorithm) return { why: "the system's own choice" };
  if (setting !== 'auto' || mayChoose(algorithm, facts)) return { algorithm };
  return { why: `this kernel does not allow ${algorithm} here; "xsync doctor" says how to change that` };
}

/** Whether this process may choose the algorithm, according to the kernel's lists. True if a list is absent. */
export function mayChoose(algorithm: string, { allowed, available, privileged }: CongestionFacts): boolean {
  if (privileged) return available?.includes(algorithm) ?? true;
  return allowed?.includes(algorithm) ?? true;
}

/** Plans the algorithm, tries it on a socket that is never connected, and returns the result. Never throws. */
export async function openCongestion(
  setting: CongestionSetting,
  facts?: CongestionFacts,
  load: () => Promise<SocketCalls> = loadSocketCalls,
): Promise<Congestion> {
  const known = facts ?? (await readCongestionFacts());
  const { algorithm, why } = planCongestion(setting, known);
  const current = known.current ?? "the system's";
  if (algorithm === undefined) return why === undefined ? {} : { note: `congestion control ${current}: ${why}` };
  let calls: SocketCalls;
  try {
    calls = await load();
  } catch {
    return { note: `congestion control ${current}: setting ${algorithm} needs the optional package koffi` };
  }
  const refusal = calls.refusal(algorithm);
  if (refusal !== undefined) {
    return { note: `congestion control ${current}: the kernel refused ${algorithm} (${refusal})` };
  }
  const note = `congestion control ${algorithm} on our own connections, instead of ${current}`;
  return { note, sockets: socketCongestion(algorithm, calls) };
}

export function socketCongestion(algorithm: string, calls: SocketCalls): SocketCongestion {
  return {
    algorithm,
    apply(socket) {
      const descriptor = descriptorOf(socket);
      if (descriptor !== undefined) calls.set(descriptor, algorithm);
    },
  };
}

/** What the kernel reports, whether koffi works on this host, and whether `auto` sets bbr. */
export async function examineCongestion(): Promise<CongestionFacts & { koffi: boolean; sets: boolean }> {
  const facts = await readCongestionFacts();
  const koffi = await loadSocketCalls().then(
    () => true,
    () => false,
  );
  const { sockets } = await openCongestion('auto', facts);
  return { ...facts, koffi, sets: sockets !== undefined };
}

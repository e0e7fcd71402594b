/** Judges the host: facts in, findings out. Pure. */
import { type Finding, fail, ok, skip, warn } from './finding.js';
import { binarySize, megabits } from './text.js';

/** A list is absent where the system does not provide it. */
export interface CongestionFacts {
  linux: boolean;
  current?: string;
  allowed?: readonly string[];
  available?: readonly string[];
  /** koffi, which is needed to set the algorithm of a socket, is installed. */
  koffi: boolean;
  /** xsync sets bbr on its own connections. */
  sets: boolean;
}

export interface HostFacts {
  /** `20.19.0`. */
  node: string;
  /** `Linux 6.1.0, x64`. */
  system: string;
  congestion: CongestionFacts;
  /** The maximum socket buffers of a connection (tcp_wmem, tcp_rmem), in bytes. */
  sendBuffer?: number;
  receiveBuffer?: number;
  /** The open-file limit of this process, and the number of files that it may need. */
  openFiles?: number;
  wantedFiles: number;
  /** Names of the variables that set a proxy. */
  proxies: readonly string[];
}

export function judgeHost(facts: HostFacts): Finding[] {
  return [
    judgeNode(facts.node),
    ok('system', facts.system),
    judgeCongestion(facts.congestion),
    facts.congestion.koffi ? ok('koffi', 'installed: --congestion works') : skip('koffi', 'not installed (optional)'),
    ...judgeBuffers(facts),
    judgeFiles(facts),
    ...judgeProxies(facts.proxies),
  ];
}

const OLDEST_NODE = [20, 19] as const;

function judgeNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const values = { version };
  if (enough) return ok('node', version, values);
  return fail('node', `${version} is too old`, `Install Node ${OLDEST_NODE.join('.')} or newer.`, { values });
}

/** Measured on 200 Mbit/s with 200 ms and 1 % loss: one BBR connection used 24.7 % of the line, one CUBIC 0.3 %. */
const WHY_BBR = 'over a long, lossy line one bbr connection is as fast as dozens of others';

export function judgeCongestion(facts: CongestionFacts): Finding {
  const { linux, current = 'unknown', allowed, available, koffi, sets } = facts;
  if (!linux) return skip('congestion', 'can be read and set on Linux only');
  const values = { current, sets, ...(allowed && { allowed }), ...(available && { available }) };
  if (current === 'bbr') return ok('congestion', "bbr, the system's default", values);
  if (sets) return ok('congestion', `${current}; xsync sets bbr on its own connections`, values);
  const mayChoose = allowed?.includes('bbr') ?? false;
  if (mayChoose && !koffi) {
    const remedy = 'Install xsync with its optional packages: bbr is allowed, and koffi could set it.';
    return warn('congestion', `${current}; ${WHY_BBR}`, remedy, { values });
  }
  const list = [...(allowed ?? ['reno', current]), 'bbr'];
  const loaded = available?.includes('bbr') === true;
  return warn('congestion', `${current}; ${WHY_BBR}`, 'Allow bbr for every process, as root on the host:', {
    commands: [
      ...(loaded ? [] : ['modprobe tcp_bbr']),
      `sysctl -w net.ipv4.tcp_allowed_congestion_control="${[...new Set(list)].join(' ')}"`,
    ],
    values,
  });
}

/** The kernel's usual maximum for sending. A smaller buffer limits throughput over long distances. */
const USUAL_BUFFER = 4 * 1024 * 1024;
/** The round trip across an ocean, for which the effect of a buffer is reported. */
const FAR_MS = 200;

function judgeBuffers({ sendBuffer, receiveBuffer }: HostFacts): Finding[] {
  if (sendBuffer === undefined || receiveBuffer === undefined) return [];
  const values = { sendBuffer, receiveBuffer };
  // By default the kernel advertises half of a receive buffer as the window (tcp_adv_win_scale, ip-sysctl).
  const most = `${megabits(sendBuffer, FAR_MS)} up, ${megabits(receiveBuffer / 2, FAR_MS)} down`;
  const sizes = `${binarySize(sendBuffer)} to send, ${binarySize(receiveBuffer)} to receive`;
  const found = `${sizes}; over ${FAR_MS} ms a connection carries at most ${most}`;
  if (Math.min(sendBuffer, receiveBuffer) >= USUAL_BUFFER) return [ok('buffers', found, values)];
  const commands = [
    'sysctl -w net.ipv4.tcp_wmem="4096 16384 16777216"',
    'sysctl -w net.ipv4.tcp_rmem="4096 131072 16777216"',
  ];
  return [warn('buffers', found, 'Allow larger buffers, as root on the host:', { commands, values })];
}

function judgeFiles({ openFiles, wantedFiles }: HostFacts): Finding {
  if (openFiles === undefined) return skip('files', 'this system does not show the open-file limit');
  const values = { limit: openFiles, wanted: wantedFiles };
  const limit = Number.isFinite(openFiles) ? openFiles.toLocaleString('en') : 'unlimited';
  const found = `${limit} open files allowed, up to ${wantedFiles} needed`;
  if (openFiles >= wantedFiles) return ok('files', found, Number.isFinite(openFiles) ? values : undefined);
  const remedy = 'Raise the limit for this shell, or use fewer connections (--transfers):';
  return warn('files', found, remedy, { commands: ['ulimit -n 4096'], values });
}

function judgeProxies(names: readonly string[]): Finding[] {
  if (names.length === 0) return [];
  const found = `${names.join(', ')} set: used except for remotes with a proxy of their own, and for NO_PROXY`;
  return [ok('proxy', found, { names })];
}

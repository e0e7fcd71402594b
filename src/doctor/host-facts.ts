/** Asks the host for the facts that `host.ts` judges. Tests: test/doctor/doctor.test.ts */
import { arch, release, type } from 'node:os';
import { openFilesLimit, procText } from '../native/proc.js';
import type { CongestionFacts, HostFacts } from './host.js';

/** Many programs use these variables, Node's HTTP client only when told to. xsync ignores them. */
const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];

export function readHostFacts(env: NodeJS.ProcessEnv, congestion: CongestionFacts, wantedFiles: number): HostFacts {
  return {
    node: process.versions.node,
    system: `${type()} ${release()}, ${arch()}`,
    congestion,
    sendBuffer: largestBuffer(procText('/proc/sys/net/ipv4/tcp_wmem') ?? ''),
    receiveBuffer: largestBuffer(procText('/proc/sys/net/ipv4/tcp_rmem') ?? ''),
    openFiles: openFilesLimit(),
    wantedFiles,
    proxies: PROXIES.filter((name) => Boolean(env[name])),
  };
}

/** The largest of `min default max` (tcp_wmem, tcp_rmem), in bytes; undefined when the text is something else. */
export function largestBuffer(text: string): number | undefined {
  const numbers = text.trim().split(/\s+/).map(Number);
  return numbers.length === 3 && numbers.every((number) => number > 0) ? numbers[2] : undefined;
}

/** Collects the facts about the host that `host.ts` judges. */
import { readFile } from 'node:fs/promises';
import { arch, release, type } from 'node:os';
import type { CongestionFacts, HostFacts } from './host.js';
import { largestBuffer, openFilesLimit } from './proc.js';

/** Many programs use these variables, Node's HTTP client only when told to. xsync ignores them. */
const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];

export async function readHostFacts(
  env: NodeJS.ProcessEnv,
  congestion: CongestionFacts,
  wantedFiles: number,
): Promise<HostFacts> {
  const [sending, receiving, limits] = await Promise.all(
    ['/proc/sys/net/ipv4/tcp_wmem', '/proc/sys/net/ipv4/tcp_rmem', '/proc/self/limits'].map(textOf),
  );
  return {
    node: process.versions.node,
    system: `${type()} ${release()}, ${arch()}`,
    congestion,
    sendBuffer: largestBuffer(sending ?? ''),
    receiveBuffer: largestBuffer(receiving ?? ''),
    openFiles: openFilesLimit(limits ?? ''),
    wantedFiles,
    proxies: PROXIES.filter((name) => Boolean(env[name])),
  };
}

/** Undefined where the system has no such file or hides it. The finding then says so or is omitted. */
function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

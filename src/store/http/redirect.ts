/** Redirects to another host of the same service, as S3 sends them (307) until the DNS knows a new bucket. */

/** Domains that belong to one service each. */
const FAMILIES = ['amazonaws.com', 'amazonaws.com.cn', 'aliyuncs.com'] as const;

export interface Target {
  origin: string;
  path: string;
}

/**
 * Where to repeat a request; undefined if there is no redirect, or if it leads to another service, to an unencrypted
 * connection, or to another object.
 * @param service origin of the service, without a bucket
 * @param paths under which the object may be known at the new host
 */
export function redirected(
  service: string,
  { status, headers }: { status: number; headers: Record<string, string> },
  paths: readonly string[],
): Target | undefined {
  const { location } = headers;
  if ((status !== 307 && status !== 308) || location === undefined || !URL.canParse(location)) return undefined;
  const from = new URL(service);
  const to = new URL(location);
  if (to.protocol !== from.protocol && to.protocol !== 'https:') return undefined;
  if (to.username !== '' || !isSameService(from.hostname, to.hostname)) return undefined;
  const path = paths.find((each) => new URL(each, service).pathname === to.pathname);
  return path === undefined ? undefined : { origin: to.origin, path };
}

function isSameService(from: string, to: string): boolean {
  // A host below the endpoint belongs to the same service. The one above may belong to anybody.
  if (to === from || to.endsWith(`.${from}`)) return true;
  return FAMILIES.some((family) => from.endsWith(`.${family}`) && to.endsWith(`.${family}`));
}

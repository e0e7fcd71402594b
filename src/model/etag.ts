/** ETags: opaque names of versions. */

/**
 * Whether two ETags of one store name the same version. Stores spell them differently in listings, in headers and
 * through proxies: with or without quotes, weak, or with hexadecimal digits in the other case.
 */
export function sameEtag(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  const x = bareEtag(a);
  const y = bareEtag(b);
  return x === y || (x.length === y.length && HEX.test(x) && x.toLowerCase() === y.toLowerCase());
}

/** Letters of other ETags, such as base64, have a meaning in each case. */
const HEX = /^[0-9A-Fa-f-]+$/;

/** The ETag without quotes and weak mark, otherwise verbatim. */
export function bareEtag(etag: string): string {
  // The common forms need no regexp: this runs for every key of a listing.
  const last = etag.length - 1;
  if (last > 0 && etag[0] === '"' && etag[last] === '"') return etag.slice(1, last);
  return /["/]/.test(etag) ? etag.replace(/^W\//, '').replace(/^"+|"+$/g, '') : etag;
}

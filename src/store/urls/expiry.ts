/** When a presigned URL ends. Tests: test/store/urls/expiry.test.ts */

/**
 * The end of a presigned URL as it says itself, ms since 1970; undefined if it does not say.
 *
 * - Signature Version 4 of S3, OSS and Google: date and seconds
 *   (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html,
 *   https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls)
 * - older signatures, and CloudFront: `Expires`, seconds since 1970
 * - Azure: `se`, a date (https://learn.microsoft.com/en-us/rest/api/storageservices/create-service-sas)
 */
export function expiryOf(url: string): number | undefined {
  const query = new Map([...new URL(url).searchParams].map(([name, value]) => [name.toLowerCase(), value] as const));
  for (const vendor of ['amz', 'oss', 'goog']) {
    const signedMs = compactDate(query.get(`x-${vendor}-date`));
    const seconds = Number(query.get(`x-${vendor}-expires`) ?? Number.NaN);
    if (signedMs !== undefined && seconds >= 0) return signedMs + seconds * 1000;
  }
  const expires = query.get('expires');
  if (expires !== undefined && /^\d{9,11}$/.test(expires)) return Number(expires) * 1000;
  const azure = query.has('sig') ? Date.parse(query.get('se') ?? '') : Number.NaN;
  return Number.isNaN(azure) ? undefined : azure;
}

/** `20260102T030405Z` */
function compactDate(text = ''): number | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second] = found;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

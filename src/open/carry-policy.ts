/** Which attributes a job copies. Tests: test/open/carry-policy.test.ts */
import type { CARRY } from '../engine/job/attributes.js';
import type { Values } from '../engine/job/job.js';
import type { CarryPolicy } from '../model/carry-policy.js';
import { XsyncError } from '../model/error.js';
import type { ContentHeaders } from '../model/object.js';

const CONTENT: Readonly<Record<string, keyof ContentHeaders>> = {
  'content-type': 'contentType',
  'content-encoding': 'contentEncoding',
  'content-disposition': 'contentDisposition',
  'content-language': 'contentLanguage',
  'cache-control': 'cacheControl',
  expires: 'expires',
};

/** @throws usage: for a name or header that cannot be set */
export function carryPolicy(job: Values<typeof CARRY>): CarryPolicy {
  const { metadata, tags, acl, lock, fidelity, storageClass, metadataSet = [], headerUpload = [] } = job;
  const set: Required<CarryPolicy>['set'] = { headers: {}, metadata: {} };
  for (const entry of metadataSet) setMetadata(set, entry);
  for (const header of headerUpload) setHeader(set, header);
  const sets = metadataSet.length > 0 || headerUpload.length > 0;
  return {
    ...{ metadata, fidelity, storageClass },
    ...(tags && { tags }),
    ...(acl && { acl }),
    ...(lock && { lock }),
    ...(sets && { set }),
  };
}

/** `name=value`; the names of content headers stand for those headers, as in rclone. */
function setMetadata({ headers, metadata }: Required<CarryPolicy>['set'], entry: string): void {
  const [name, value] = split(entry, '=', '--metadata-set', 'name=value');
  const header = CONTENT[name];
  if (header) headers[header] = value;
  else metadata[name] = value;
}

function setHeader({ headers, metadata }: Required<CarryPolicy>['set'], text: string): void {
  const [name, value] = split(text, ':', '--header-upload', '"Name: value"');
  const header = CONTENT[name];
  const own = /^x-(?:amz|oss)-meta-(.+)$/.exec(name)?.[1];
  if (header) headers[header] = value;
  else if (own) metadata[own] = value;
  else {
    throw new XsyncError('usage', `--header-upload: "${name}" is not a content header`, {
      subject: '--header-upload',
      remedy: `Use ${Object.keys(CONTENT).join(', ')}, x-amz-meta-… or x-oss-meta-….`,
    });
  }
}

/** The name in lower case, as HTTP compares names. */
function split(text: string, separator: string, flag: string, form: string): [name: string, value: string] {
  const at = text.indexOf(separator);
  const name = text.slice(0, Math.max(at, 0)).trim().toLowerCase();
  const value = text.slice(at + 1).trim();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what would end a header
  if (name !== '' && !/[\x00-\x1f\x7f]/.test(name + (flag === '--header-upload' ? value : ''))) return [name, value];
  throw new XsyncError('usage', `${flag}: ${JSON.stringify(text)} is not of the form ${form}`, { subject: flag });
}

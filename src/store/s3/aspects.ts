/** Tags, ACLs and locks of objects over the lean transport. Tests: test/store/s3/contract.test.ts */
import { md5 } from '../../hash/index.js';
import type { ObjectLock, Tags } from '../../model/attributes.js';
import { readTags, taggingBody } from '../http/attributes.js';
import { readXml } from '../http/xml.js';
import type { HeadOptions } from '../port.js';
import { escapeXml } from './encode.js';
import { md5Header } from './headers.js';
import type { Wire } from './wire.js';

export class Aspects {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async getTags(key: string, options: HeadOptions): Promise<Tags> {
    return readTags(await this.#get(key, 'tagging', options));
  }

  async putTags(key: string, tags: Tags, options: HeadOptions): Promise<void> {
    if (tags.length > 0) return this.#put(key, 'tagging', taggingBody(tags, escapeXml), options);
    const { versionId, signal, onRequest } = options;
    await this.#wire.send({ method: 'DELETE', key, parameters: { tagging: '', versionId }, signal, onRequest });
  }

  async getAcl(key: string, options: HeadOptions): Promise<string> {
    return readAcl(await this.#get(key, 'acl', options));
  }

  async putAcl(key: string, acl: string, { versionId, signal, onRequest }: HeadOptions): Promise<void> {
    const parameters = { acl: '', versionId };
    await this.#wire.send({ method: 'PUT', key, parameters, headers: { 'x-amz-acl': acl }, signal, onRequest });
  }

  async putLock(key: string, lock: ObjectLock, options: HeadOptions): Promise<void> {
    const [name, body] = lockDocument(lock);
    await this.#put(key, name, body, options);
  }

  async #get(key: string, name: 'tagging' | 'acl', { versionId, signal, onRequest }: HeadOptions): Promise<Buffer> {
    const parameters = { [name]: '', versionId };
    return (await this.#wire.send({ method: 'GET', key, parameters, signal, onRequest })).body;
  }

  async #put(key: string, name: string, body: string, { versionId, signal, onRequest }: HeadOptions): Promise<void> {
    const headers = { 'content-type': 'application/xml', ...md5Header(md5(Buffer.from(body))) };
    await this.#wire.send({
      method: 'PUT',
      key,
      parameters: { [name]: '', versionId },
      headers,
      body,
      signal,
      onRequest,
    });
  }
}

/** The sub-resource and body of PutObjectRetention or PutObjectLegalHold. */
function lockDocument({ mode, untilMs = 0 }: ObjectLock): [name: string, body: string] {
  if (mode === undefined) return ['legal-hold', '<LegalHold><Status>ON</Status></LegalHold>'];
  const until = new Date(untilMs).toISOString();
  return ['retention', `<Retention><Mode>${mode}</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`];
}

const GROUPS = 'http://acs.amazonaws.com/groups/global/';

/** The grants of each canned ACL besides the owner's (https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl). */
const CANNED: Readonly<Record<string, string>> = {
  '': 'private',
  'AllUsers READ': 'public-read',
  'AllUsers READ,AllUsers WRITE': 'public-read-write',
  'AuthenticatedUsers READ': 'authenticated-read',
};

/** The canned ACL of an AccessControlPolicy; `grants` if it is none. */
export function readAcl(body: Buffer): string {
  const { fields, lists } = readXml(body, {
    root: 'AccessControlPolicy',
    fields: ['ID'],
    lists: { Grant: ['ID', 'URI', 'Permission'] },
    inside: ['Owner', 'AccessControlList', 'Grantee'],
  });
  const others = lists.Grant.filter(
    ({ ID, Permission }) => ID === undefined || ID !== fields.ID || Permission !== 'FULL_CONTROL',
  );
  const text = others.map(({ ID, URI = '', Permission }) => `${ID ?? URI.replace(GROUPS, '')} ${Permission}`);
  return CANNED[text.sort().join()] ?? 'grants';
}

/** Options about what is copied of an object besides its bytes. Tests: test/open/carry-policy.test.ts */
import { choice, flag, list, negated, text } from './option.js';

/** What a copy carries besides the bytes. */
export const CARRY = {
  metadata: negated('--no-metadata', 'do not copy user metadata and redirects', {
    flags: '-M, --metadata',
    description: 'copy user metadata and redirects (default)',
  }),
  tags: flag('--tags', 'copy tags (a request per object with tags)'),
  acl: flag('--acl', 'copy canned ACLs (a request per object)'),
  lock: flag('--lock', 'copy retention and legal holds'),
  metadataSet: list('--metadata-set <name=value>', 'set this metadata entry or content header; can be repeated'),
  headerUpload: list('--header-upload <header>', 'set this content header, as "Name: value"; can be repeated'),
  fidelity: choice(
    '--fidelity <level>',
    'fail an object that would lose attributes, report it, or say nothing',
    ['strict', 'warn', 'ignore'],
    'warn',
  ),
  storageClass: text(
    '--storage-class <class>',
    "storage class of copied objects: the source's (keep), a similar one (map), or one for all (default: the remote's)",
  ),
};

export const ATTRIBUTES = {
  ...CARRY,
  attributes: choice(
    '--attributes <when>',
    'find changed attributes by new times in listings, or by comparing them (two requests per unchanged object)',
    ['listed', 'compare'],
    'listed',
  ),
};

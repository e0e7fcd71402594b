/**
 * Commands of rclone, of the AWS CLI and of ossutil that xsync does not have, each with one sentence. They complete the
 * error for an unknown command, and docs/rclone.md shows them. Tests: test/cli/foreign.test.ts
 */
import type { Foreign, ForeignKind } from './foreign-options.js';

type Row = readonly [names: string, kind: ForeignKind, text: string];

const ROWS: readonly Row[] = [
  ['cp', 'name', 'use xsync copy, or xsync copyto to choose the new name of an object'],
  ['mv', 'name', 'use xsync move'],
  ['rm', 'name', 'use xsync delete, or xsync purge to delete a bucket or folder with everything in it'],
  ['mb', 'name', 'use xsync mkdir'],
  ['rb', 'name', 'use xsync rmdir, which removes an empty bucket'],
  ['presign sign', 'name', 'use xsync link'],
  ['du', 'name', 'use xsync size'],
  ['stat', 'name', 'use xsync lsjson'],
  ['bisync', 'name', 'use xsync mirror; docs/mirror.md says what it does differently'],
  ['mount nfsmount', 'absent', 'not supported: xsync copies objects; it is not a file system'],
  [
    'rcd rc',
    'absent',
    'not supported: there is no server; xsync watch serves metrics with --metrics-addr, and programs use the library',
  ],
  ['gui', 'absent', 'not supported: xsync serve --web shows rules on a page'],
  ['archive', 'absent', 'not supported: objects are copied as they are'],
  ['about', 'absent', 'not supported: S3 and OSS have no quota to show; xsync size counts what is there'],
  ['authorize', 'absent', 'not supported: S3 and OSS use keys and roles, not logins in a browser'],
  [
    'backend',
    'absent',
    'not supported: xsync cleanup removes unfinished uploads, and xsync copy --restore restores archived objects',
  ],
  ['checksum', 'absent', 'not supported: xsync check compares two sides; xsync lsjson --hash prints checksums'],
  [
    'convmv',
    'absent',
    'not supported: keys are copied as they are; --local-encoding reads names of a disk in another encoding',
  ],
  ['copyurl', 'absent', 'not supported: pipe it, as in curl URL | xsync rcat remote:bucket/key'],
  [
    'cryptcheck cryptdecode',
    'absent',
    'not supported: xsync does not encrypt; encrypt at the service with server_side_encryption',
  ],
  ['dedupe', 'needless', 'not needed: a key names one object'],
  ['deletefile', 'name', 'use xsync delete with the path of the object'],
  ['gendocs', 'absent', 'not supported: docs/ has the documentation, and xsync COMMAND --help the options'],
  ['gitannex', 'absent', 'not supported: use rclone as the special remote of git-annex'],
  ['ncdu', 'absent', 'not supported: use xsync size and xsync tree'],
  ['obscure', 'needless', 'not needed: keep secrets in a private config file, or in environment variables'],
  ['rmdirs', 'needless', 'not needed: object stores have no folders; xsync rmdir removes an empty one from disk'],
  ['selfupdate', 'absent', 'not supported: update with npm'],
  [
    'settier',
    'absent',
    'not supported: --storage-class sets the class of what is copied; use lifecycle rules for the rest',
  ],
  ['sha1sum', 'name', 'use xsync hashsum sha1'],
  ['test', 'name', 'use xsync doctor, which tests the host, the credentials and the path to each store'],
  ['touch', 'absent', 'not supported: to write an empty object, use xsync rcat with no input'],
  ['aws s3 s3api oss rclone ossutil', 'name', 'leave it out, as in xsync ls or xsync copy'],
  ['website', 'absent', 'not supported: set up buckets with the tools of the service'],
  ['restore', 'name', 'use xsync copy --restore, which restores the archived objects that it is to copy'],
  ['create-alias probe set-acl set-meta bucket-versioning', 'absent', 'not supported: use the tools of the service'],
  ['config/create config/update', 'name', 'use xsync config add; --replace changes a remote'],
  ['config/delete', 'name', 'use xsync config remove'],
  ['config/dump config/redacted', 'name', 'use xsync config show; secrets are hidden'],
  ['config/file', 'name', 'use xsync config path'],
  ['config/paths', 'name', 'use xsync config path; docs/configuration.md lists the other files'],
  ['config/edit config/touch config/unset', 'name', 'edit the file that xsync config path shows; it is YAML'],
  ['config/providers', 'absent', 'not supported: docs/providers.md lists the providers'],
  ['config/string', 'absent', 'not supported: name the remote in the config file'],
  [
    'config/password config/encryption',
    'absent',
    'not supported: keep secrets in a private config file, or in environment variables',
  ],
  [
    'config/disconnect config/reconnect config/userinfo',
    'absent',
    'not supported: S3 and OSS use keys and roles, not logins in a browser',
  ],
];

/** What is known of another tool's command. @param name of a command below another: `config/create` */
export function foreignCommand(name: string): Foreign | undefined {
  const row = ROWS.find(([names]) => names.split(' ').includes(name));
  return row && { kind: row[1], text: row[2] };
}

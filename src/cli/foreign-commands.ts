/**
 * Commands of rclone, of the AWS CLI and of ossutil that xsync does not have, each with one sentence. They complete the
 * error for an unknown command, and docs/rclone.md shows them. Tests: test/cli/foreign.test.ts
 */
import type { Foreign, ForeignKind } from './foreign-options.js';

type Row = readonly [names: string, kind: ForeignKind, text: string];

const ROWS: readonly Row[] = [
  [
    'cp',
    'name',
    'xsync copy copies a folder or an object below the destination, and xsync copyto under a name that you choose',
  ],
  ['mv', 'name', 'xsync move is its name here'],
  ['rm', 'name', 'xsync delete deletes objects, and xsync purge everything below a path'],
  ['mb', 'name', 'xsync mkdir creates a bucket'],
  ['rb', 'name', 'xsync rmdir removes an empty bucket'],
  ['presign sign', 'name', 'xsync link prints a presigned URL'],
  ['du', 'name', 'xsync size prints the totals'],
  ['stat', 'name', 'xsync lsjson shows what is known of an object'],
  ['bisync', 'absent', 'not supported: each pair has one direction; xsync sync makes the destination like the source'],
  ['mount nfsmount', 'absent', 'not supported: xsync copies objects and is no file system'],
  [
    'serve rcd rc gui',
    'absent',
    'not supported: there is no server; xsync watch serves metrics with --metrics-addr, and programs use the library',
  ],
  ['archive', 'absent', 'not supported: objects are copied as they are'],
  ['about', 'absent', 'not supported: S3 and OSS have no quota to show; xsync size counts what is there'],
  ['authorize', 'absent', 'not supported: S3 and OSS use keys and roles, not logins in a browser'],
  [
    'backend',
    'absent',
    'not supported: xsync cleanup removes unfinished uploads; for the rest use the tools of the service',
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
  ['deletefile', 'name', 'xsync delete deletes one object, too, if the path names it'],
  ['gendocs', 'absent', 'not supported: docs/ has the documentation, and xsync COMMAND --help the options'],
  ['gitannex', 'absent', 'not supported: use rclone as the special remote of git-annex'],
  ['ncdu', 'absent', 'not supported: xsync size counts a path, and xsync tree shows it'],
  [
    'obscure',
    'needless',
    'not needed: a config file takes values from variables of the environment, and a file with secrets must be private',
  ],
  ['rmdirs', 'needless', 'not needed: stores have no folders, and on disk a folder goes with its last object'],
  ['selfupdate', 'absent', 'not supported: update with npm'],
  [
    'settier',
    'absent',
    'not supported: --storage-class sets the class of what is copied; use lifecycle rules for the rest',
  ],
  ['sha1sum', 'name', 'xsync hashsum sha1 is its name here'],
  ['test', 'name', 'xsync doctor tries the host, the credentials and the line to each store'],
  ['touch', 'absent', 'not supported: xsync writes no object without bytes of a source'],
  ['s3 s3api oss', 'name', 'leave it out: xsync copy, sync, ls and the others are commands of their own'],
  ['website', 'absent', 'not supported: set up buckets with the tools of the service'],
  [
    'create-alias probe restore set-acl set-meta bucket-versioning',
    'absent',
    'not supported: use the tools of the service',
  ],
  ['config/create config/update', 'name', 'xsync config add is its name here; --replace changes a remote'],
  ['config/delete', 'name', 'xsync config remove is its name here'],
  ['config/dump config/redacted', 'name', 'xsync config show is its name here; secrets are hidden'],
  ['config/file', 'name', 'xsync config path is its name here'],
  ['config/paths', 'name', 'xsync config path shows the config, and docs/configuration.md the other places'],
  ['config/edit config/touch config/unset', 'name', 'edit the file that xsync config path shows; it is YAML'],
  ['config/providers', 'absent', 'not supported: docs/providers.md lists the providers'],
  ['config/string', 'absent', 'not supported: a remote is named, as a section of the config file'],
  [
    'config/password config/encryption',
    'absent',
    'not supported: a file with secrets must be private, or take them from variables of the environment',
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

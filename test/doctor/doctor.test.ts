import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, type Outcome, openLab } from '../cli/lab.js';

const MIB = 1024 ** 2;

let lab: Lab;

beforeEach(async () => {
  lab = await openLab();
  lab.server.core.s3.put('bucket', 'photos/large.bin', Buffer.alloc(3 * MIB, 7));
  lab.server.core.s3.put('bucket', 'photos/small.bin', 'small');
});

afterEach(() => lab.close());

/** The lines of one check, whatever section it stands in. */
function lineOf({ out }: Outcome, check: string): string {
  const lines = out.split('\n');
  const at = lines.findIndex((line) => new RegExp(`^  [✓!✗·] ${check} `).test(line));
  const rest = lines.slice(at + 1).findIndex((line) => !line.startsWith('    '));
  return at < 0
    ? ''
    : lines
        .slice(at, at + 1 + rest)
        .map((line) => line.trim())
        .join(' ');
}

const refuse = (kind: string): void => {
  lab.server.faults.add({
    match: { kind: kind as 'PutObject' },
    fault: { kind: 'status', status: 403, code: 'AccessDenied', message: 'no' },
  });
};

const keys = (): string[] => lab.server.core.s3.list('bucket').map(({ key }) => key);

describe('a place that is well', () => {
  it('gets an exit code of 0, and is not written to unless that was asked for', async () => {
    const outcome = await lab.xsync('doctor', 'lab:bucket/photos');
    expect(outcome).toMatchObject({ code: 0, err: '' });
    expect(outcome.out).not.toContain('✗');
    for (const check of ['credentials', 'bucket', 'list', 'read', 'latency', 'download']) {
      expect(lineOf(outcome, check), check).toMatch(/^✓/);
    }
    expect(lineOf(outcome, 'list')).toMatch(/^✓ list +allowed; 2 objects$/);
    expect(lineOf(outcome, 'write')).toMatch(/^· .*--write/);
    // `Unknown` is the HEAD of the endpoint itself.
    const kinds = new Set(lab.server.requests.entries.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['GetObject', 'HeadObject', 'ListObjects', 'Unknown']);
  });

  it('is written to with --write, in every way that a run would, and left as it was', async () => {
    const before = keys();
    const outcome = await lab.xsync('doctor', '--write', '--probe-size', '2M', 'lab:bucket/photos');
    expect(outcome.code).toBe(0);
    for (const check of ['write', 'multipart', 'upload', 'delete']) expect(lineOf(outcome, check), check).toMatch(/^✓/);
    expect(keys()).toEqual(before);
    expect(lab.server.core.s3.uploads('bucket')).toEqual([]);
    const puts = lab.server.requests.entries.filter(({ kind }) => kind === 'PutObject');
    expect(puts.every(({ key }) => /^photos\/\.xsync-doctor-[0-9a-f]{16}/.test(key))).toBe(true);
    expect(puts.reduce((sum, { bytesIn }) => sum + bytesIn, 0)).toBe(2 * MIB + 1024);
  });

  it('is not charged for more bytes than were allowed', async () => {
    await lab.xsync('doctor', '--probe-size', '1M', 'lab:bucket/photos');
    const read = lab.server.requests.entries.filter(({ kind }) => kind === 'GetObject');
    expect(read.reduce((sum, { bytesOut }) => sum + bytesOut, 0)).toBe(MIB + 1);
    lab.server.requests.reset();
    const outcome = await lab.xsync('doctor', '--probe-size', 'off', 'lab:bucket/photos');
    expect(lineOf(outcome, 'download')).toBe('');
  });

  it('shares the way with the next place on the same endpoint', async () => {
    const { out } = await lab.xsync('doctor', 'lab:bucket/photos', 'lab:bucket');
    expect(out.match(/^ {2}. connect /gm)).toHaveLength(1);
    expect(out.match(/^ {2}✓ credentials /gm)).toHaveLength(2);
  });

  it('has its credentials told by their kind, and not shown', async () => {
    const { out } = await lab.xsync('doctor', '--json', 'lab:bucket');
    expect(out).toContain('static keys, accepted');
    expect(out).not.toContain(lab.server.s3.accessKeyId);
    expect(out).not.toContain(lab.server.s3.secretAccessKey);
  });

  it('is read by programs as one JSON document', async () => {
    const { code, out } = await lab.xsync('doctor', '--json', 'lab:bucket/photos');
    const report = JSON.parse(out) as { ok: boolean; sections: { title: string; findings: object[] }[] };
    expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true });
    expect(report.sections.map(({ title }) => title)).toEqual([
      'This host',
      lab.server.s3.endpoint,
      'lab:bucket/photos',
    ]);
    expect(report.sections[2]?.findings).toContainEqual({
      check: 'list',
      level: 'ok',
      found: 'allowed; 2 objects',
      values: { objects: 2, more: false },
    });
  });

  it('may be a folder on this machine, which is then as clean as before', async () => {
    const folder = join(lab.home, 'folder');
    mkdirSync(folder);
    writeFileSync(join(folder, 'file'), 'text');
    const outcome = await lab.xsync('doctor', '--write', folder);
    expect(outcome.code).toBe(0);
    expect(lineOf(outcome, 'space')).toMatch(/^✓/);
    expect(readdirSync(folder)).toEqual(['file']);
    expect((await lab.xsync('doctor', '--write', join(folder, 'file'))).code).toBe(0);
    expect((await lab.xsync('doctor', join(lab.home, 'missing'))).out).toMatch(/! folder +does not exist/);
  });
});

describe('a right that is missing', () => {
  it('to write is named as the service names it, and fails', async () => {
    refuse('PutObject');
    const outcome = await lab.xsync('doctor', '--write', 'lab:bucket');
    expect(outcome.code).toBe(1);
    expect(lineOf(outcome, 'write')).toMatch(/^✗ .*no.*→ .*s3:PutObject/);
    expect(outcome.out).toContain('1 problem (✗)');
  });

  it('to read is no fault of a destination', async () => {
    refuse('GetObject');
    const outcome = await lab.xsync('doctor', 'lab:bucket');
    expect(outcome.code).toBe(0);
    expect(lineOf(outcome, 'read')).toMatch(/^! .*→ .*s3:GetObject/);
  });

  it('to list fails, though the bucket answers', async () => {
    refuse('ListObjects');
    const outcome = await lab.xsync('doctor', 'lab:bucket');
    expect(outcome.code).toBe(1);
    expect(lineOf(outcome, 'list')).toMatch(/^✗ .*→ .*s3:ListBucket/);
  });

  it('to delete leaves objects behind, and says which', async () => {
    refuse('DeleteObjects');
    refuse('DeleteObject');
    const outcome = await lab.xsync('doctor', '--write', '--probe-size', '1k', 'lab:bucket');
    const left = keys().filter((key) => key.startsWith('.xsync-doctor-'));
    expect(left).toHaveLength(2);
    expect(lineOf(outcome, 'delete')).toMatch(/^! .*→ .*s3:DeleteObject/);
    for (const key of left) expect(outcome.out.replace(/\n\s*/g, ' ')).toContain(key);
  });

  it('to abort uploads leaves an upload behind, and says what finds it', async () => {
    refuse('AbortMultipartUpload');
    const outcome = await lab.xsync('doctor', '--write', 'lab:bucket');
    expect(outcome.code).toBe(1);
    expect(lineOf(outcome, 'multipart')).toMatch(/^✗ .*s3:AbortMultipartUpload.*xsync cleanup/);
  });

  it('to upload parts fails while a small object passes', async () => {
    refuse('UploadPart');
    const outcome = await lab.xsync('doctor', '--write', 'lab:bucket');
    expect(outcome.code).toBe(1);
    expect(lineOf(outcome, 'write')).toMatch(/^✓/);
    expect(lineOf(outcome, 'multipart')).toMatch(/^✗/);
    expect(lab.server.core.s3.uploads('bucket')).toEqual([]);
  });
});

function addRemote(line: string): void {
  const file = join(lab.home, 'config.yaml');
  writeFileSync(file, `${readFileSync(file, 'utf8')}  ${line}\n`);
}

describe('what is wrong before any object', () => {
  it('is a wrong secret: the bucket is not blamed for it', async () => {
    const { endpoint, region, accessKeyId } = lab.server.s3;
    addRemote(
      `wrong: { type: s3, endpoint: ${endpoint}, region: ${region}, force_path_style: true, access_key_id: ${accessKeyId}, secret_access_key: other }`,
    );
    const outcome = await lab.xsync('doctor', 'wrong:bucket');
    expect(outcome.code).toBe(1);
    expect(lineOf(outcome, 'credentials')).toMatch(/^✗ .*SignatureDoesNotMatch.*→ Check secret_access_key/);
    expect(lineOf(outcome, 'bucket')).toBe('');
    expect(outcome.out).not.toContain('other');
  });

  it('is a bucket that is not there', async () => {
    const outcome = await lab.xsync('doctor', 'lab:nobucket');
    expect(outcome.code).toBe(1);
    expect(lineOf(outcome, 'bucket')).toMatch(/^✗ .*NoSuchBucket.*→ /);
  });

  it('is an endpoint that cannot be reached: nothing more is tried there, and the rest goes on', async () => {
    addRemote(
      'closed: { type: s3, endpoint: "http://127.0.0.1:1", region: x, access_key_id: a, secret_access_key: b }',
    );
    const outcome = await lab.xsync('doctor', 'closed:bucket', 'lab:bucket');
    expect(outcome.code).toBe(1);
    expect(lineOf(outcome, 'connect')).toMatch(/^✗ .*127\.0\.0\.1:1 refuses connections/);
    expect(outcome.out).toMatch(/closed:bucket\n {2}· bucket +not checked/);
    expect(outcome.out).toMatch(/lab:bucket\n {2}✓ credentials/);
  });

  it('is a config that others can read: a finding with its remedy, not the end', async () => {
    chmodSync(join(lab.home, 'config.yaml'), 0o644);
    const outcome = await lab.xsync('doctor', 'lab:bucket');
    expect(outcome.code).toBe(1);
    expect(lineOf(outcome, 'config')).toMatch(/^✗ .*open to other users.*→ Run: chmod 600/);
    expect(lineOf(outcome, 'state')).toMatch(/^✓/);
    expect(lineOf(outcome, 'sqlite')).toMatch(/^✓ sqlite +3\.[\d.]+, (works in the state folder|can be loaded)$/);
  });

  it('is a path that names no remote: that is a mistake in the command line', async () => {
    const { code, out, err } = await lab.xsync('doctor', 'nowhere:bucket');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('there is no remote "nowhere"');
  });
});

describe('without a path', () => {
  it('goes to the endpoint of every remote once, and asks nothing of any bucket', async () => {
    const { endpoint } = lab.server.s3;
    addRemote(`twin: { type: s3, endpoint: ${endpoint}, region: x, access_key_id: a, secret_access_key: b }`);
    addRemote(
      'closed: { type: oss, endpoint: "http://127.0.0.1:1", region: x, access_key_id: a, secret_access_key: b }',
    );
    const { code, out } = await lab.xsync('doctor');
    expect(code).toBe(1);
    expect(out).toContain(`${endpoint} (lab, twin)`);
    expect(out).toContain('http://127.0.0.1:1 (closed)');
    expect(lab.server.requests.entries.map(({ kind, bucket }) => ({ kind, bucket }))).toEqual([
      { kind: 'Unknown', bucket: '' },
    ]);
  });

  it('keeps within 80 columns, but for commands that are there to be copied', async () => {
    addRemote(
      'far: { type: s3, endpoint: "https://a-very-long-name.of-some-department.of-some-company.invalid", region: x, access_key_id: a, secret_access_key: b }',
    );
    const { out } = await lab.xsync('doctor');
    const lines = out.split('\n').filter((line) => !line.startsWith('        ') && !line.startsWith('http'));
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThan(80);
  });
});

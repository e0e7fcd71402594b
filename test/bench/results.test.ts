/** What the bench says of its figures: goals, the rows in which xsync is behind, and results that replace others. */
import { describe, expect, it } from 'vitest';
import { CASES, type Case } from '../../bench/cases.js';
import { type CaseResult, type ContenderResult, merged } from '../../bench/figures.js';
import { verdicts } from '../../bench/goals.js';
import { markdown, standing } from '../../bench/report.js';

const NOTHING = { list: 0, head: 0, get: 0, put: 0, part: 0, createUpload: 0, completeUpload: 0, other: 0 };
const MACHINE = { processor: 'P', cores: 2, memoryGiB: 24, kernel: 'Linux', node: '20', loadBefore: 0, loadAfter: 1 };

type Figures = [label: string, tool: ContenderResult['tool'], cpuS: number, wallS: number];

function result(name: string, figures: Figures[], date = '2026-01-02'): CaseResult {
  const contenders = figures.map(([label, tool, cpuS, wallS]) => {
    const requests = { ...NOTHING, connections: 0, bytesIn: 0, bytesOut: 0 };
    return { label, tool, command: tool, runs: [{ cpuS, wallS, peakRssMiB: 100, requests }] };
  });
  const tools = { rclone: { version: 'v1' }, aws: { version: '2' }, s5cmd: { missing: 'not on the PATH' } };
  const taken = { options: '', date, commit: 'abc', machine: MACHINE, tools };
  return { name, title: `Case ${name}`, per: 'object', objects: 1000, size: 4096, contenders, taken };
}

const COPY = result('copy-4k', [
  ['xsync', 'xsync', 2, 3],
  ['rclone', 'rclone', 8, 2],
  ['rclone, tuned', 'rclone', 4, 5],
]);
const DISK = result('disk-8m', [
  ['xsync', 'xsync', 2, 2],
  ['rclone', 'rclone', 4, 4],
  ['s5cmd', 's5cmd', 1, 1],
]);

describe('goals', () => {
  it('compare CPU and time each with the best peer', () => {
    expect(verdicts(CASES, [COPY])).toEqual([
      {
        ...{ case: 'copy-4k', label: 'xsync', wanted: 'at most 0.5 × the CPU of the best peer' },
        ...{ measured: '0.50 × rclone, tuned', reached: true },
      },
      {
        ...{ case: 'copy-4k', label: 'xsync', wanted: 'at most 0.8 × the time of the best peer' },
        ...{ measured: '1.5 × rclone', reached: false },
      },
    ]);
  });

  it('can leave out peers that verify nothing', () => {
    expect(verdicts(CASES, [DISK]).map(({ wanted, measured }) => `${wanted}: ${measured}`)).toEqual([
      'at most 0.9 × the CPU of the best rclone: 0.50 × rclone',
      'at most 0.9 × the time of the best rclone: 0.50 × rclone',
    ]);
  });

  it('add up the time of others', () => {
    const start = (wallS: number): CaseResult =>
      result('start-version', [
        ['xsync --version', 'xsync', 1, wallS],
        ['rclone version', 'rclone', 1, 0.01],
        ['node -e 0', 'node', 1, 0.05],
      ]);
    const [within, beyond] = [0.08, 0.081].map((wallS) => verdicts(CASES, [start(wallS)])[0]);
    expect(within).toMatchObject({
      wanted: 'at most `node -e 0` + 30 ms: 0.080 s',
      measured: '0.080 s',
      reached: true,
    });
    expect(beyond?.reached).toBe(false);
  });

  it('say nothing of what was not measured', () => {
    expect(verdicts(CASES, [result('copy-4k', [['xsync', 'xsync', 1, 1]])])).toEqual([]);
    const failed = { ...COPY, contenders: COPY.contenders.map((one, i) => (i === 0 ? { ...one, runs: [] } : one)) };
    expect(verdicts(CASES, [failed])).toEqual([]);
  });

  it('name contenders that the case has', () => {
    const unknown = ({ contenders }: Case): string[] =>
      contenders
        .flatMap(({ goal }) => goal?.noSlowerThan?.together ?? [])
        .filter((label) => !contenders.some((one) => one.label === label));
    expect(CASES.flatMap(unknown)).toEqual([]);
  });
});

describe('the first lines', () => {
  it('name the rows in which xsync is behind, and what the peers verify', () => {
    const text = standing(CASES, { cases: [COPY, DISK] });
    expect(text.split('\n')[0]).toBe(
      'xsync is behind the best peer in 2 of 2 rows: `copy-4k` (time 1.5 × rclone); `disk-8m` (CPU 2.0 × s5cmd, time 2.0 × s5cmd).',
    );
    expect(text).toContain(
      '| `disk-8m`: Case disk-8m | **2.0 × s5cmd**, verifies: size | **2.0 × s5cmd**, verifies: size | source MD5 |',
    );
    expect(text).toContain('Of 2 cores, the server of the bench needs one.');
  });

  it('say so if there is none', () => {
    const ahead = result('copy-4k', [
      ['xsync', 'xsync', 1, 1],
      ['rclone', 'rclone', 2, 2],
    ]);
    expect(standing(CASES, { cases: [ahead] })).toMatch(/^In no row is xsync behind/);
  });
});

describe('results of some cases', () => {
  const newer = result(
    'copy-4k',
    [
      ['xsync', 'xsync', 1, 1],
      ['rclone', 'rclone', 2, 2],
    ],
    '2026-02-03',
  );

  it('take the place of those of the same cases, and of no others', () => {
    const all = merged({ cases: [DISK, COPY, result('gone', [])] }, { cases: [newer] }, ['copy-4k', 'disk-8m']);
    expect(all.cases).toEqual([newer, DISK]);
  });

  it('are told apart from older ones', () => {
    const text = markdown(CASES, { cases: [newer, DISK] });
    expect(text).toContain('Taken on 2026-02-03 with `npm run bench`, commit abc (`copy-4k`):');
    expect(text).toContain('Taken on 2026-01-02 with `npm run bench`, commit abc (`disk-8m`):');
    expect(text).toContain('s5cmd was not measured: not on the PATH');
  });
});

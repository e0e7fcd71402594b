import { describe, expect, it } from 'vitest';
import { doctorText } from '../../../src/cli/render/doctor.js';
import { fail, ok, skip, warn } from '../../../src/doctor/finding.js';
import { capture } from '../fixtures.js';

const text = doctorText(capture({ columns: 60 }), { NO_COLOR: '1' });

describe('a finding on a screen', () => {
  it('keeps what was found in its column and what to do under it, within the width', () => {
    const finding = warn('acceleration', 'word '.repeat(20).trim(), 'do '.repeat(30).trim());
    const lines = text.finding(finding);
    expect(lines[0]).toMatch(/^ {2}! acceleration word word/);
    expect(lines[1]).toMatch(/^ {17}word/);
    expect(lines.find((line) => line.includes('→'))).toMatch(/^ {4}→ do do/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(60);
  });

  it('leaves commands whole, so that they can be copied', () => {
    const command = `sysctl -w ${'x'.repeat(70)}`;
    expect(text.finding(warn('buffers', 'small', 'Type:', { commands: [command] })).at(-1)).toBe(`        ${command}`);
  });

  it('has no key move the cursor', () => {
    const lines = text.finding(fail('read', 'bad\u001b[2Jkey', 'look at \u001b]0;x'));
    expect(lines).toEqual(['  ✗ read         bad\\x1b[2Jkey', '    → look at \\x1b]0;x']);
  });

  it('shows the lines of a broken config as lines', () => {
    expect(text.finding(fail('config', 'a:1: one\na:2: two', 'Mend it.'))).toEqual([
      '  ✗ config       a:1: one',
      '                 a:2: two',
      '    → Mend it.',
    ]);
  });
});

describe('the verdict', () => {
  const good = ok('node', '20');
  const better = warn('files', 'few', 'raise');
  const wrong = fail('state', 'no', 'yes');

  it.each([
    [[good, skip('write', 'not tried')], 'No problems found.'],
    [[good, better], 'No problems; 1 warning (!).'],
    [[wrong, good], '1 problem (✗).'],
    [[wrong, wrong, better, better], '2 problems (✗), 2 warnings (!).'],
  ])('says in one line whether there is anything to do', (findings, line) => {
    expect(text.verdict(findings)).toBe(line);
  });
});

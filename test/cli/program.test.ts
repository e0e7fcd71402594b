import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/main.js';
import { everyCommand } from '../../src/cli/placement.js';
import { manPage } from '../../src/cli/render/man.js';
import { VERSION } from '../../src/version.js';
import { fakeIo } from './fixtures.js';
import { type Lab, openLab } from './lab.js';

let lab: Lab;
const root = buildProgram(fakeIo(), () => {});

beforeEach(async () => {
  lab = await openLab();
});

afterEach(() => lab.close());

it('version tells what a bug report needs', async () => {
  const { code, out } = await lab.xsync('version');
  expect(code).toBe(0);
  expect(out).toMatch(
    new RegExp(`^xsync ${VERSION}\\n- node: ${process.version}\\n- os: .+\\n- arch: ${process.arch}\\n$`),
  );
});

it('listremotes has a line for each remote', async () => {
  expect(await lab.xsync('listremotes')).toEqual({ code: 0, out: 'lab:\n', err: '' });
  expect((await lab.xsync('listremotes', '--long')).out).toBe('lab: s3\n');
  writeFileSync(join(lab.home, 'other.yaml'), 'remotes:\n  disk: { type: local }\n', { mode: 0o600 });
  // Before the command, as in rclone.
  expect((await lab.xsync('--config', join(lab.home, 'other.yaml'), 'listremotes')).out).toBe('disk:\n');
});

describe('completion', () => {
  /** What bash offers for the last word. */
  async function offered(...words: string[]): Promise<string[]> {
    const { out } = await lab.xsync('completion', 'bash');
    const script = join(lab.home, 'completion.bash');
    writeFileSync(script, out);
    const probe = `
      xsync() { [[ $1 == listremotes ]] && echo lab:; }
      compopt() { :; }
      source '${script}'
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      _xsync; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', probe, 'probe', 'xsync', ...words]);
    return stdout.split('\n').filter((line) => line !== '');
  }

  it('bash offers commands, options, choices and remotes', async () => {
    expect(await offered('cop')).toEqual(['copy', 'copyto']);
    expect(await offered('config', 'a')).toEqual(['add']);
    expect(await offered('copy', 'a', '--part-s')).toEqual(['--part-size']);
    expect(await offered('--config', 'copy', 'mov')).toEqual(['move', 'moveto']);
    expect(await offered('copy', '--cutoff-mode', 's')).toEqual(['soft']);
    expect(await offered('copy', '--config', '')).toEqual([]);
    expect(await offered('ls', 'l')).toEqual(['lab:']);
    expect(await offered('failed', './a', '--cl')).toEqual(['--class']);
    expect(await offered('failed', 'drop', '--cl')).toEqual(['--class']);
    expect(await offered('ls', './')).toEqual([]);
  });

  it.each(['bash', 'zsh', 'fish'])('%s has every command and option', async (shell) => {
    const { code, out, err } = await lab.xsync('completion', shell);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const command of everyCommand(root)) {
      if (command !== root) expect(out).toContain(command.name());
      for (const { long } of command.options) {
        if (command !== root && long) expect(out).toContain(shell === 'fish' ? `-l ${long.slice(2)}` : long);
      }
    }
  });

  it('knows three shells', async () => {
    expect(await lab.xsync('completion', 'tcsh')).toMatchObject({ code: 2, out: '' });
  });
});

it('the manual page has every command and option, and no request of roff by accident', () => {
  const page = manPage(root, VERSION);
  const plain = page.replaceAll('\\-', '-');
  for (const command of everyCommand(root)) {
    if (command !== root && command.commands.length === 0)
      expect(plain).toMatch(new RegExp(`^\\.SS xsync (\\w+ )?${command.name()}`, 'm'));
    for (const { long } of command.options) if (long) expect(plain).toContain(long);
  }
  const requests = page.split('\n').filter((line) => /^[.']/.test(line));
  expect(requests.filter((line) => !/^\.(TH|SH|SS|TP|PP|B)\b/.test(line))).toEqual([]);
});

it('every command has an example in its help', () => {
  for (const command of root.commands) {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 80 }).outputHelp();
    const own = command.commands.length === 0 || command.registeredArguments.length > 0;
    expect([command.name(), !own || /^Examples?:/m.test(help)]).toEqual([command.name(), true]);
  }
});

it('groff takes the manual page without a warning', () => {
  try {
    execFileSync('groff', ['--version'], { stdio: 'ignore' });
  } catch {
    return;
  }
  const input = manPage(root, VERSION);
  expect(execFileSync('groff', ['-man', '-Tutf8', '-ww'], { input, stdio: ['pipe', 'ignore', 'pipe'] })).toBeNull();
});

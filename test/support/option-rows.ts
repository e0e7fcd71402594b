/** The table of a job's options, as docs/library.md has it. */
import type { OptionSpec, OptionTable } from '../../src/engine/job/option.js';

const VALUES: Readonly<Record<OptionSpec['kind'], string>> = {
  switch: 'boolean',
  negated: 'boolean',
  list: 'string[]',
  choice: '',
  'one-of': '',
  size: 'bytes',
  duration: 'ms',
  interval: 'ms, at least 100',
  instant: 'ms since 1970',
  count: '1 to 100,000',
  'count-or-auto': '1 to 100, or `auto`',
  rate: 'a second',
  bandwidth: '`{ up, down }` in bytes a second, or a list of `{ minute, up, down }`',
  'count-or-percent': '`{ objects }` or `{ percent }`',
  text: 'string',
};

/** Name, flag, value, default and meaning. */
export function optionRows(table: OptionTable): string[] {
  return Object.entries(table).map(([name, option]) => {
    const cells = [`\`${name}\``, flagsOf(option), valuesOf(option), defaultOf(option), descriptionOf(option)];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
}

function flagsOf(option: OptionSpec): string {
  const all = option.kind === 'one-of' ? Object.values(option.choices) : [option];
  return all.map(({ flags }) => `\`${/--[\w-]+/.exec(flags)?.[0]}\``).join(', ');
}

function valuesOf(option: OptionSpec): string {
  if (option.kind === 'choice') return option.choices.map((choice) => `\`${choice}\``).join(', ');
  if (option.kind !== 'one-of') return VALUES[option.kind];
  const names = new Set([option.default, ...Object.keys(option.choices)]);
  return [...names].map((name) => `\`${name}\``).join(', ');
}

function defaultOf(option: OptionSpec): string {
  if (option.kind === 'negated') return '`true`';
  if ('shown' in option && option.shown) return option.shown;
  return 'default' in option && option.default !== undefined ? `\`${option.default}\`` : '';
}

function descriptionOf(option: OptionSpec): string {
  if (option.kind !== 'one-of') return option.description;
  return Object.entries(option.choices)
    .map(([name, { description }]) => `\`${name}\`: ${description}`)
    .join('; ');
}

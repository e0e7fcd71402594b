/** The arguments of the bench's scripts. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * The options of a script. `--help` prints the script's first comment and ends it.
 * @param script its `import.meta.url`
 */
export function optionsFrom<T extends ParseArgsConfig>(
  script: string,
  config: T,
): ReturnType<typeof parseArgs<T>>['values'] {
  const args = config.args ?? process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${aboutOf(readFileSync(new URL(script), 'utf8'))}\n`);
    process.exit(0);
  }
  try {
    return parseArgs({ ...config, args }).values;
  } catch (error) {
    return refuse(script, error instanceof Error ? error.message : String(error));
  }
}

/** Ends the script, because its arguments are wrong. */
export function refuse(script: string, message: string): never {
  process.stderr.write(`${basename(fileURLToPath(script))}: ${message}\nTo list the options, use --help.\n`);
  process.exit(2);
}

function aboutOf(text: string): string {
  const [, comment = ''] = /^\/\*\*(.*?)\*\//s.exec(text) ?? [];
  return comment
    .split('\n')
    .map((line) => line.replace(/^ ?\* ?/, '').trimEnd())
    .join('\n')
    .trim();
}

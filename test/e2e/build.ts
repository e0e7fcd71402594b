/** Builds `dist` once before the end-to-end tests when the sources are newer: they run the built binary. */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export default function setup(): void {
  const built = statSync(join(ROOT, 'dist/xsync.cjs'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const changed = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .some((name) => statSync(join(ROOT, 'src', name)).mtimeMs > built);
  if (changed) execFileSync('npm', ['run', 'build'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
}

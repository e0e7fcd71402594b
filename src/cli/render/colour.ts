/** Tests: test/cli/render/display.test.ts */
import { Chalk, type ChalkInstance } from 'chalk';

/**
 * Colors for one stream: none when it is not a terminal, when `NO_COLOR` is not empty (https://no-color.org), or when
 * `TERM` is `dumb`.
 */
export function colours(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): ChalkInstance {
  const plain = stream.isTTY !== true || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  return new Chalk({ level: plain ? 0 : 1 });
}

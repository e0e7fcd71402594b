import { Chalk, type ChalkInstance } from 'chalk';

/**
 * Colours for one stream: none when it is not a terminal, when `NO_COLOR` is set to anything (https://no-color.org),
 * or on a terminal that says it is dumb.
 */
export function colours(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): ChalkInstance {
  const plain = stream.isTTY !== true || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  return new Chalk({ level: plain ? 0 : 1 });
}

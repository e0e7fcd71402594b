/** Environment variables that look like options and are none, such as those that Kubernetes makes of a service `xsync`. */
import type { Command } from 'commander';
import { isOverride, keyHint } from '../config/environment.js';
import { didYouMean } from '../config/nearest.js';

const PREFIX = 'XSYNC_';
const SECRETS = [
  'BRIDGE_SECRET',
  'NOTIFY_SECRET',
  'EVENTS_SECRET',
  'EVENTS_SECRET_FILE',
  'WEB_TOKEN',
  'WEB_TOKEN_FILE',
  'VERBOSE',
];
/** More names would hide the log. */
const NAMED = 4;

/** A warning for each variable that resembles an option, and one for all others. */
export function strayVariables(root: Command, env: NodeJS.ProcessEnv): string[] {
  const strays = Object.keys(env).filter((name) => name.startsWith(PREFIX) && env[name] !== '' && !isOverride(name));
  if (strays.length === 0) return [];
  const known = new Set([...SECRETS, ...optionNames(root)]);
  const unknown = strays.filter((name) => !known.has(name.slice(PREFIX.length)));
  const hints = new Map(unknown.map((name) => [name, keyHint(name) || optionHint(name, known)]));
  const others = unknown.filter((name) => hints.get(name) === '');
  return [
    ...unknown.filter((name) => hints.get(name)).map((name) => `${name} is ignored: no such option${hints.get(name)}`),
    ...(others.length === 0
      ? []
      : [`${shortList(others)} ${others.length === 1 ? 'is' : 'are'} ignored: no such option`]),
  ];
}

function optionHint(name: string, known: ReadonlySet<string>): string {
  return didYouMean(name.slice(PREFIX.length), known).replace('"', `"${PREFIX}`);
}

function shortList(names: readonly string[]): string {
  const rest = names.length - NAMED;
  return rest > 0 ? `${names.slice(0, NAMED).join(', ')} and ${rest} more` : names.join(', ');
}

/** `PART_SIZE`, for every command. */
function optionNames(root: Command): string[] {
  return root.commands
    .flatMap((command) => [command, ...command.commands])
    .flatMap(({ options }) => options.map(({ long = '' }) => long.slice(2).toUpperCase().replaceAll('-', '_')));
}

/** The routes under `storage_classes:` in the config. Tests: test/config/storage-classes.test.ts */
import * as z from 'zod';
import type { ClassTable } from '../model/storage-class.js';
import { BACKENDS } from '../store/registry.js';
import { didYouMean } from './nearest.js';

const text = z.string('must be text').trim().min(1, 'must not be empty');

const classRoute = z.strictObject({
  from: text.describe('Remote of the source, such as "west" or "west:bucket", or a scheme'),
  to: text.describe('Remote of the destination'),
  classes: z.record(text, text).describe('Classes of the source with those of the destination'),
});

export const classRoutes = z
  .array(classRoute, 'must be a list of routes')
  .describe('Storage classes of --storage-class map that differ from the defaults, by route');

export type ClassRoute = z.infer<typeof classRoute>;

const SCHEMES = BACKENDS.flatMap(({ scheme }) => scheme ?? []);

/** @param section as it is in the file; undefined: there is none. @param remotes their names */
export function readClassRoutes(
  section: unknown,
  remotes: readonly string[],
): { routes?: readonly ClassRoute[]; problems: readonly string[] } {
  if (section === undefined) return { problems: [] };
  const { success, data: routes, error } = classRoutes.safeParse(section);
  if (!success) return { problems: error.issues.map(describeIssue) };
  const known = [...remotes, ...SCHEMES];
  const problems = routes
    .flatMap(({ from, to }) => [from, to])
    .map((place) => place.replace(/:.*$/s, ''))
    .filter((name) => !known.includes(name))
    .map((name) => `there is no remote "${name}"${didYouMean(name, known)}`);
  return { routes, problems };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const [route, ...keys] = issue.path;
  const at = typeof route === 'number' ? `route ${route + 1}: ` : '';
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(classRoute.shape);
    return `${at}unknown key "${issue.keys[0]}"${didYouMean(issue.keys[0] ?? '', known) || `; its keys are ${known.join(', ')}`}`;
  }
  return `${at}${[...keys.map(String), issue.message].join(' ')}`;
}

/** One end of a route: a remote's name, and a bucket. */
interface End {
  name: string;
  bucket: string;
}

/** The table of the routes between two places. Of several that name a class, the first one counts. */
export function classesBetween(routes: readonly ClassRoute[], from: End, to: End): ClassTable {
  const fitting = routes.filter((route) => isAt(route.from, from) && isAt(route.to, to));
  return Object.fromEntries(fitting.flatMap(({ classes }) => Object.entries(classes)).reverse());
}

function isAt(place: string, { name, bucket }: End): boolean {
  return [name, `${name}:`, `${name}:${bucket}`].includes(place);
}

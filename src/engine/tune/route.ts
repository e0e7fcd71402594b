/** The settings found for a route, stored in its manifest by hour of day: cross-border lines are slow at fixed hours. */
import type { Manifest } from '../../manifest/port.js';
import type { Settings } from './tune.js';

const FACT = 'route-settings';

/** By hour (UTC), and `last` for hours without settings. */
type Stored = Record<string, Partial<Settings>>;

/** Empty if nothing is stored. */
export function readRoute(manifest: Pick<Manifest, 'getFact'>, at: Date): Partial<Settings> {
  const stored = parse(manifest.getFact(FACT));
  return stored[hourOf(at)] ?? stored.last ?? {};
}

export function writeRoute(manifest: Pick<Manifest, 'getFact' | 'setFact'>, at: Date, found: Partial<Settings>): void {
  const stored = parse(manifest.getFact(FACT));
  const known = Object.fromEntries(Object.entries(found).filter(([, n]) => n !== undefined));
  const now = { ...readRoute(manifest, at), ...known };
  manifest.setFact(FACT, JSON.stringify({ ...stored, [hourOf(at)]: now, last: now }));
}

function hourOf(at: Date): string {
  return String(at.getUTCHours());
}

/** Only a hint: ignores what cannot be read. */
function parse(text: string | undefined): Stored {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).map(([hour, settings]) => [hour, numbersOf(settings)]));
  } catch {
    return {};
  }
}

function numbersOf(value: unknown): Partial<Settings> {
  const settings: Partial<Settings> = {};
  if (typeof value !== 'object' || value === null) return settings;
  for (const name of ['parts', 'objects', 'partSize'] as const) {
    const n: unknown = (value as Record<string, unknown>)[name];
    if (typeof n === 'number' && Number.isSafeInteger(n) && n > 0) settings[name] = n;
  }
  return settings;
}

/**
 * Compares --storage-class, and the table of a route, with the classes that the services have, before anything is sent.
 * Tests: test/open/storage-classes.test.ts
 */
import type { Config } from '../config/load.js';
import { parseLocation } from '../config/location.js';
import { didYouMean } from '../config/nearest.js';
import { classesBetween } from '../config/storage-classes.js';
import { XsyncError } from '../model/error.js';
import {
  CARRIED_CLASSES,
  type ClassLimits,
  type ClassTable,
  classNamed,
  isCarriedClass,
} from '../model/storage-class.js';
import type { OpenSide } from './settings.js';

type Side = Pick<OpenSide, 'text' | 'store'>;

/** @throws usage: the side has no such class */
export function refuseUnknownClass(asked: string | undefined, { text, store }: Side): void {
  if (asked === undefined || isCarriedClass(asked)) return;
  const { classes } = store.capabilities.attributes;
  if (!classes) throw refusal(`${text} has no storage classes`, 'Omit --storage-class.');
  if (classNamed(asked, classes) !== undefined) return;
  const names = Object.keys(classes.kinds);
  const guess = didYouMean(asked, [...CARRIED_CLASSES, ...names]);
  throw refusal(`${text} has no storage class "${asked}"${guess}`, `Use keep, map, or one of ${names.join(', ')}.`);
}

function refusal(reason: string, remedy: string): XsyncError {
  return new XsyncError('usage', `--storage-class: ${reason}`, { subject: '--storage-class', remedy });
}

/**
 * The table of the config for `--storage-class map`; undefined for anything else.
 * @throws usage: the destination has no such class; config: a class of the table does not exist
 */
export function classesFor(
  asked: string | undefined,
  { source, dest }: { source: Side; dest: Side },
  config: Config,
): ClassTable | undefined {
  refuseUnknownClass(asked, dest);
  if (asked !== 'map' || !config.classRoutes) return undefined;
  const table = classesBetween(
    config.classRoutes,
    parseLocation(source.text, config),
    parseLocation(dest.text, config),
  );
  for (const [from, to] of Object.entries(table)) {
    mustExist(from, source, config);
    mustExist(to, dest, config);
  }
  return table;
}

/** @throws config */
function mustExist(name: string, { text, store }: Side, { path }: Config): void {
  const { classes } = store.capabilities.attributes;
  if (classes && classNamed(name, classes) !== undefined) return;
  const guess = didYouMean(name, Object.keys(classes?.kinds ?? {}));
  throw new XsyncError('config', `storage_classes in ${path}: ${text} has no storage class "${name}"${guess}`, {
    subject: path,
    remedy: remedyOf(classes),
  });
}

function remedyOf(classes: ClassLimits | undefined): string {
  return classes ? `Use one of ${Object.keys(classes.kinds).join(', ')}.` : 'Remove the route.';
}

/** Tests: test/engine/fidelity/storage-class.test.ts */
import type { CarryPolicy } from '../../model/carry-policy.js';
import { classNamed, isSameClass, keptClass, mappedClass } from '../../model/storage-class.js';
import type { Capabilities } from '../../store/port.js';
import type { Report } from './report.js';

type Classes = Pick<Capabilities, 'attributes' | 'defaultStorageClass'>;

/**
 * The class that an object is given at the destination; undefined for what the destination gives by itself. The usual
 * class of both services is not mentioned.
 * @param has of the source's object; absent: the usual one of its service
 */
export function carryClass(
  has: string | undefined,
  from: Classes,
  to: Classes,
  { storageClass: asked, classes: table }: CarryPolicy,
  report: Report,
): string | undefined {
  const limits = to.attributes.classes;
  if (asked !== 'keep' && asked !== 'map') {
    return asked === undefined || !limits ? asked : (classNamed(asked, limits) ?? asked);
  }
  const given = has ?? from.defaultStorageClass;
  if (given === undefined) return undefined;
  const isUsual = isSameClass(given, from.defaultStorageClass);
  if (!limits) {
    if (!isUsual) report.lose('storage-class', 'the destination has none');
    return undefined;
  }
  const own = from.attributes.classes;
  const found = asked === 'keep' ? keptClass(given, own, limits) : mappedClass(given, own, limits, table);
  if (found === undefined) report.lose('storage-class', missing(given, asked));
  else if (!isUsual || !isSameClass(found, to.defaultStorageClass)) {
    if (isSameClass(found, given)) report.keep('storage-class');
    else report.map('storage-class', `${given} became ${found}`);
  }
  return found;
}

function missing(given: string, asked: 'keep' | 'map'): string {
  const remedy = asked === 'keep' ? '--storage-class map finds a similar one' : 'name one under storage_classes';
  return `the destination has no ${given}; ${remedy}`;
}

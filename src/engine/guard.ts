/** Checks made once, before a run moves anything. */
import { XsyncError } from '../model/error.js';
import type { RunPair, RunSide } from './options.js';

/** @throws usage when the sides are the same place or one lies inside the other */
export function refuseOverlap(pair: RunPair): void {
  const { source, dest } = pair;
  const a = placeOf(source);
  const b = placeOf(dest);
  if (a.home !== b.home) return;
  if (a.path === b.path) {
    throw new XsyncError('usage', `source and destination are the same place: ${source.text}`, {
      remedy: 'give two different places',
    });
  }
  if (pair.single) return;
  const [outer, inner] = a.path.length < b.path.length ? [source, dest] : [dest, source];
  if (placeOf(inner).path.startsWith(placeOf(outer).path)) {
    throw new XsyncError('usage', `${inner.text} lies inside ${outer.text}`, {
      remedy: 'a copy into itself would never end; choose a destination beside it',
    });
  }
}

/** Local roots are paths, whose nesting counts; a bucket's are the bucket's and then the prefix. */
function placeOf({ store, prefix }: RunSide): { home: string; path: string } {
  const { kind, endpoint, bucket } = store.identity;
  if (store.capabilities.local) return { home: `${kind} ${endpoint}`, path: `${bucket.replace(/\/+$/, '')}/${prefix}` };
  return { home: `${kind} ${endpoint} ${bucket}`, path: prefix };
}

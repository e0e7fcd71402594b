/**
 * What a pair does with symbolic links, by `--links` and by what its sides can hold.
 *
 * |           | source has objects as links (OSS)                              | source is a tree                 |
 * |---|---|---|
 * | `auto`    | kept where the destination has them too, otherwise followed    | left out, with a warning         |
 * | `keep`    | kept where the destination has links, otherwise left out with a warning | the same                |
 * | `follow`  | what they point to is copied; one that leads nowhere fails     | the same                         |
 * | `skip`    | left out                                                       | the same                         |
 *
 * With `auto`, a followed link that leads nowhere is left out with a warning.
 * Tests: test/open/links.test.ts
 */
import type { RunPair } from '../engine/pair.js';
import { XsyncError } from '../model/error.js';
import type { ObjectStore } from '../store/port.js';
import { FollowingStore } from '../store/wrap/following.js';
import type { SharedStore } from '../store/wrap/share.js';

export const LINK_MODES = ['auto', 'keep', 'follow', 'skip'] as const;
export type LinkMode = (typeof LINK_MODES)[number];

/** @throws usage: both flags, which contradict each other */
export function linkMode(links: LinkMode = 'auto', copyLinks: boolean | undefined): LinkMode {
  if (!copyLinks) return links;
  if (links === 'auto' || links === 'follow') return 'follow';
  throw new XsyncError('usage', `--copy-links means --links follow, and contradicts --links ${links}`, {
    subject: '--links',
    remedy: 'Use one of them.',
  });
}

/** `failing`: a link that leads nowhere is a failure. */
export type Following = 'failing' | 'lenient';

interface Sides {
  source: Pick<ObjectStore, 'capabilities'>;
  dest: Pick<ObjectStore, 'capabilities'>;
}

/** @returns `follows` where links of the source are replaced by what they point to, which the store does not do itself */
export function linksOf(mode: LinkMode, { source, dest }: Sides): Pick<RunPair, 'links'> & { follows?: Following } {
  const [from, to] = [source.capabilities.links, dest.capabilities.links];
  if (from === undefined) return {};
  if (mode === 'skip') return { links: 'skip' };
  if (mode === 'follow') return from === 'objects' ? { follows: 'failing' } : {};
  const keeps = mode === 'keep' ? to !== undefined : from === 'objects' && to === 'objects';
  if (keeps) return { links: 'keep' };
  return mode === 'auto' && from === 'objects' ? { follows: 'lenient' } : {};
}

/** The store, and the view of it for each run, with what its links point to. */
export function followed<S extends Pick<SharedStore, 'store' | 'view'>>(side: S, how: Following | undefined): S {
  if (how === undefined) return side;
  const failing = how === 'failing';
  return {
    ...side,
    store: new FollowingStore(side.store, failing),
    view: (onRetry) => {
      const own = side.view(onRetry);
      return { ...own, store: new FollowingStore(own.store, failing) };
    },
  };
}

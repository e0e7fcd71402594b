/** How parts get by with less memory than they have bytes. Tests: test/engine/transfer/read-again.test.ts */
import type { ObjectStore } from '../../store/port.js';
import { canPassPartsOn } from './part-in-pieces.js';
import { PIPE_BYTES } from './pipe.js';
import { AGAIN_BYTES, canReadAgain } from './read-again.js';

/** Bytes that a part in flight takes while memory is short; undefined if it is held whole. */
export function partMemoryOf(source: ObjectStore, dest: ObjectStore): number | undefined {
  if (canPassPartsOn({ source, dest })) return PIPE_BYTES;
  return canReadAgain({ source, dest }) ? AGAIN_BYTES : undefined;
}

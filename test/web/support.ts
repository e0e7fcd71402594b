/** Pairs of a board whose manifests are in memory. */
import type { Manifest } from '../../src/manifest/port.js';
import { IN_MEMORY, openManifest } from '../../src/manifest/sqlite/open.js';
import type { BoardPair } from '../../src/web/board.js';
import { failureOf } from '../manifest/fixtures.js';
import { GLOBAL_TO_OSS } from '../manifest/pairs.js';

export const TOKEN = 'a-token-of-enough-characters';

/** What nobody should see come alive. */
export const HOSTILE_KEYS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  'evil\u202egpj.exe',
  'nul\0byte',
  'line\r\nbreak',
  '\x1b[2J',
  '',
  'k'.repeat(1024),
] as const;

export function manifestWith(keys: readonly string[]): Manifest {
  const manifest = openManifest(IN_MEMORY, GLOBAL_TO_OSS);
  for (const key of keys) manifest.fail(failureOf(key, 1000, `${key}: it broke`));
  return manifest;
}

export function boardPair(id: string, manifest: Manifest | undefined, more: Partial<BoardPair> = {}): BoardPair {
  return {
    ...{ id, rule: id, source: 'a:src', destination: 'b:dst', mode: 'copy', fingerprint: id },
    read: async (look) => manifest && look(manifest),
    ...more,
  };
}

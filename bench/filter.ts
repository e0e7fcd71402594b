/**
 * CPU time of a million keys through twenty filter rules: `npx tsx bench/filter.ts [--against FOLDER] [--runs 5]`.
 * FOLDER is another checkout. Its filter alternates with this one and must include the same number of keys.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { createFilter } from '../src/engine/filter/filter.js';
import { optionsFrom } from './arguments.js';

const KEYS = 1_000_000;

const RULES = [
  ...['- *.tmp', '- {*.bak,*~,*.swp}', '- .DS_Store', '- /cache/**', '- node_modules/', '- *.part[0-9]', '- Thumbs.db'],
  ...['- /logs/20{19,20,21}/**', '- {{.*\\.(?:old|orig)\\.\\d+}}', '- /build-*/', '- **/draft?/**', '- /secret.txt'],
  ...['+ *.jpg', '+ *.{jpeg,png,gif}', '+ /photos/**', '+ {{[a-f0-9]{8}-\\w+\\.(?:json|csv)}}', '+ /data/*/daily/**'],
  ...['+ übersicht*', '+ *.parquet', '- *'],
];

const FOLDERS = [
  'photos',
  'data',
  'archive',
  'logs',
  'export',
  'users',
  'backup',
  'Übergabe',
  '報告書',
  'data/eu/daily',
];
const ENDINGS = ['jpg', 'JPG', 'png', 'json', 'csv', 'parquet', 'log.gz', 'txt', 'tmp', 'html', 'orig.3', 'webp'];
const WORDS = ['invoice', 'holiday', 'sensor', 'übersicht', 'customer', '写真', 'émission', 'report', 'a', 'q3'];

/** Keys of 20 to 120 bytes in key order, the same in every run. One in eight has non-ASCII characters. */
function makeKeys(): string[] {
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed % below;
  };
  const pick = (list: readonly string[]) => list[random(8) === 0 ? random(list.length) : random(4)] ?? '';
  const keys = Array.from({ length: KEYS }, () => {
    const parts = [FOLDERS[random(FOLDERS.length)], `20${10 + random(16)}`];
    for (let i = random(4); i > 0; i--) parts.push(`${pick(WORDS)}-${random(100)}`);
    parts.push(`${random(0x7fffffff).toString(16).padStart(8, '0')}-${pick(WORDS)}.${ENDINGS[random(ENDINGS.length)]}`);
    return parts.join('/');
  });
  return keys.sort();
}

type Module = { createFilter: typeof createFilter };

/** CPU seconds and the number of included keys. */
function measure({ createFilter }: Module, keys: readonly string[], ignoreCase: boolean): [number, number] {
  const before = process.cpuUsage();
  const filter = createFilter({ filter: RULES, ignoreCase });
  let included = 0;
  for (const key of keys) if (filter.test(key, 0, 0).included) included++;
  const { user, system } = process.cpuUsage(before);
  return [(user + system) / 1e6, included];
}

const values = optionsFrom(import.meta.url, {
  options: { against: { type: 'string' }, runs: { type: 'string', default: '5' } },
});
const here = resolve(import.meta.dirname, '..');
const folders = values.against === undefined ? [here] : [here, resolve(values.against)];
const keys = makeKeys();
for (const ignoreCase of [false, true]) {
  const times = new Map<string, number[]>(folders.map((folder) => [folder, []]));
  let answers: number | undefined;
  for (let run = 0; run < Number(values.runs); run++) {
    for (const folder of folders) {
      const module: Module = await import(pathToFileURL(`${folder}/src/engine/filter/filter.ts`).href);
      const [seconds, included] = measure(module, keys, ignoreCase);
      answers ??= included;
      if (answers !== included) throw new Error(`${folder} includes ${included} keys, not ${answers}`);
      times.get(folder)?.push(seconds);
    }
  }
  for (const [folder, list] of times) {
    const median = [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
    const sign = ignoreCase ? ' --ignore-case' : '';
    console.log(`${folder}${sign}: ${median} s CPU (${list.join(', ')}), ${answers} of ${KEYS} keys included`);
  }
}

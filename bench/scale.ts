/**
 * What a billion objects take, from unit costs that were measured (docs/scale.md says with which command): requests, money,
 * hours, CPU time, manifest, Redis. Change a number on the command line to see your own case.
 * `npx tsx bench/scale.ts --objects 1e9 --bytes 1e15 --workers 20`
 */
import { optionsFrom } from './arguments.js';

const values = optionsFrom(import.meta.url, {
  options: {
    objects: { type: 'string', default: '1e9' },
    bytes: { type: 'string', default: '1e15' },
    workers: { type: 'string', default: '20' },
    /** Requests a second that each store bears, reads at the source and writes at the destination. */
    rate: { type: 'string', default: '1500' },
    /** Gbit/s of each worker's line. */
    line: { type: 'string', default: '5' },
    /** Per 1,000 requests and per GB (2^30 bytes). */
    list: { type: 'string', default: '0.005' },
    get: { type: 'string', default: '0.0004' },
    put: { type: 'string', default: '0.005' },
    egress: { type: 'string', default: '0.02' },
    /** CPU seconds: a million objects copied, besides their bytes; a GiB copied over TLS. */
    copyCpu: { type: 'string', default: '380' },
    byteCpu: { type: 'string', default: '2.25' },
    /** CPU seconds a million: keys compared, rows of an inventory read and sorted. */
    compareCpu: { type: 'string', default: '8.5' },
    inventoryCpu: { type: 'string', default: '12' },
    /** Bytes of a row: in the manifest, and in the spool of an inventory. */
    row: { type: 'string', default: '152' },
    spool: { type: 'string', default: '250' },
  },
});
const of = (name: keyof typeof values): number => Number(values[name]);
const objects = of('objects');
const bytes = of('bytes');
const million = objects / 1e6;
const HOUR = 3600;
const BATCH = 1000;
/** Batches that wait or are being worked on: the window of the queue, two a worker. */
const WINDOW = 2 * of('workers');
/** A ticket as JSON, its key included. */
const TICKET = 600;

const pages = 2 * Math.ceil(objects / 1000);
const money = {
  list: (pages / 1000) * of('list'),
  get: (objects / 1000) * of('get'),
  put: (objects / 1000) * of('put'),
  egress: (bytes / 2 ** 30) * of('egress'),
};
const hours = {
  'by the rate of the stores': objects / of('rate') / HOUR,
  'by the lines of the workers': (bytes * 8) / (of('line') * 1e9 * of('workers')) / HOUR,
  'by a core a worker': (million * of('copyCpu') + (bytes / 2 ** 30) * of('byteCpu')) / of('workers') / HOUR,
  'by the coordinator, comparing': (million * of('compareCpu')) / HOUR,
};
const text = (n: number, digits = 0): string => n.toLocaleString('en-US', { maximumFractionDigits: digits });
const lines = [
  ['list requests, both sides', text(pages)],
  ['GET, PUT', `${text(objects)} each`],
  ...Object.entries(money).map(([name, amount]) => [`money for ${name}`, text(amount)]),
  ['money for requests and egress', text(Object.values(money).reduce((a, b) => a + b))],
  ...Object.entries(hours).map(([name, h]) => [`hours ${name}`, text(h, 1)]),
  ['hours of CPU to read and sort an inventory', text((million * of('inventoryCpu')) / HOUR, 1)],
  ['GB of the manifest', text((objects * of('row')) / 1e9)],
  ['GB of the spool of an inventory, until it is read', text((objects * of('spool')) / 1e9)],
  ['MB in Redis', text((WINDOW * BATCH * TICKET) / 1e6)],
];
for (const [name, value] of lines) console.log(`${(name ?? '').padEnd(52)}${(value ?? '').padStart(18)}`);

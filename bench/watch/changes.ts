/** Changes a bucket continuously and tracks each change at the destination. */
import { request } from 'node:http';
import type { TestServer } from '../../test/support/server/index.js';

interface Version {
  version: number;
  atMs: number;
}

/** New objects and deletes per ten changes; the rest are overwrites. */
const NEW = 3;
const DELETES = 1;

export class Changes {
  readonly #server: TestServer;
  readonly #keys: string[] = [];
  /** The version of each key at the source; absent when deleted. */
  readonly #there = new Map<string, Version>();
  /** Keys with a change that is not at the destination yet. */
  readonly #pending = new Map<string, number>();
  /** The latest version written to the destination. */
  readonly #arrived = new Map<string, number>();
  #lags: number[] = [];
  #versions = 0;
  #made = 0;
  #puts = 0;
  #twice = 0;
  #lists = 0;
  #address: { url: string; secret: string } | undefined;
  #refused = 0;

  constructor(server: TestServer, seeded: number) {
    this.#server = server;
    server.core.s3.createBucket('source');
    server.core.oss.createBucket('dest');
    for (let n = 0; n < seeded; n++) this.#write(this.#newKey());
  }

  /** Starts to report each change over HTTP. */
  tell(url: string, secret: string): void {
    this.#address = { url, secret };
  }

  measureFromNow(): void {
    this.look();
    this.#lags = [];
    this.#pending.clear();
    this.#puts = this.#twice = this.#lists = 0;
  }

  make(): void {
    this.#made++;
    const dice = Math.random() * 10;
    const key = dice < NEW ? this.#newKey() : (this.#keys[Math.floor(Math.random() * this.#keys.length)] ?? '');
    if (dice >= NEW && dice < NEW + DELETES) this.#delete(key);
    else this.#write(key);
  }

  /** Processes the destination's requests since the last call. */
  look(): void {
    const { requests, core } = this.#server;
    const open: typeof requests.entries = [];
    for (const entry of requests.entries) {
      if (entry.status === 0) open.push(entry);
      else if (entry.kind === 'ListObjects') this.#lists++;
      else if (entry.kind === 'PutObject' && entry.protocol === 'oss') this.#arrive(entry.key);
    }
    requests.entries = open;
    for (const key of this.#pending.keys()) {
      if (!this.#there.has(key) && !core.oss.get('dest', key)) this.#pending.delete(key);
    }
  }

  get different(): number {
    const { s3, oss } = this.#server.core;
    const left = new Set(oss.list('dest').map(({ key }) => key));
    let different = 0;
    for (const { key } of s3.list('source')) {
      if (!left.delete(key) || !oss.read('dest', key).equals(s3.read('source', key))) different++;
    }
    return different + left.size;
  }

  text(): string {
    const sorted = [...this.#lags].sort((a, b) => a - b);
    const at = (share: number): string =>
      `${((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) / 1000).toFixed(2)} s`;
    const lag = `lag p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`;
    const refused = this.#refused > 0 ? `, ${this.#refused} events refused` : '';
    return `${this.#made} changes, ${this.#puts} PUTs, ${this.#twice} of a version that was there, ${this.#lists} lists; ${lag}${refused}`;
  }

  #newKey(): string {
    const key = `objects/${String(this.#keys.length % 97).padStart(2, '0')}/${this.#keys.length}`;
    this.#keys.push(key);
    return key;
  }

  #write(key: string): void {
    const version = { version: ++this.#versions, atMs: Date.now() };
    this.#there.set(key, version);
    this.#pending.set(key, version.atMs);
    this.#server.core.s3.put('source', key, Buffer.from(JSON.stringify(version).padEnd(1024)), {});
    this.#send('ObjectCreated:Put', key);
  }

  #delete(key: string): void {
    if (!this.#there.delete(key)) return;
    this.#versions++;
    this.#pending.set(key, Date.now());
    this.#server.core.s3.delete('source', key);
    this.#send('ObjectRemoved:Delete', key);
  }

  #arrive(key: string): void {
    const object = this.#server.core.oss.get('dest', key);
    if (!object) return;
    this.#puts++;
    const { version, atMs } = JSON.parse(this.#server.core.oss.read('dest', key).toString()) as Version;
    if (this.#arrived.get(key) === version) this.#twice++;
    this.#arrived.set(key, version);
    this.#lags.push(Date.now() - atMs);
    if (this.#there.get(key)?.version === version) this.#pending.delete(key);
  }

  /** Sends the event in S3's format. */
  #send(eventName: string, key: string): void {
    if (!this.#address) return;
    const object = { key: encodeURIComponent(key), sequencer: this.#versions.toString(16).padStart(16, '0') };
    const eventTime = new Date().toISOString();
    const body = JSON.stringify({ Records: [{ eventName, eventTime, s3: { bucket: { name: 'source' }, object } }] });
    const headers = { authorization: `Bearer ${this.#address.secret}`, 'content-type': 'application/json' };
    const call = request(this.#address.url, { method: 'POST', headers }, (answer) => {
      if (answer.statusCode !== 200) this.#refused++;
      answer.resume();
    });
    call.on('error', () => this.#refused++);
    call.end(body);
  }
}

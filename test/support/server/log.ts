import type { RequestKind } from './kinds.js';
import type { Protocol } from './model.js';

export interface LogEntry {
  protocol: Protocol;
  kind: RequestKind;
  bucket: string;
  key: string;
  partNumber?: number;
  uploadId?: string;
  /** Of the answer; 0 while there is none, or when the connection was cut before it. */
  status: number;
  /** Body bytes. */
  bytesIn: number;
  bytesOut: number;
  /** When it arrived, ms since 1970 by the machine's clock. */
  atMs: number;
  /** The whole answer, success or refusal, was handed to the connection; no fault cut it short. */
  acknowledged: boolean;
  /** A fault was applied. */
  faulted: boolean;
}

export interface LogFilter {
  protocol?: Protocol;
  bucket?: string;
  key?: string;
}

/** Every request that arrived, refused ones included. */
export class RequestLog {
  entries: LogEntry[] = [];

  add(entry: LogEntry): void {
    this.entries.push(entry);
  }

  /** How many requests of a kind (of all kinds when absent) arrived. */
  count(kind?: RequestKind, filter: LogFilter = {}): number {
    return this.find(kind, filter).length;
  }

  find(kind?: RequestKind, filter: LogFilter = {}): LogEntry[] {
    return this.entries.filter(
      (entry) =>
        (kind === undefined || entry.kind === kind) &&
        (filter.protocol === undefined || entry.protocol === filter.protocol) &&
        (filter.bucket === undefined || entry.bucket === filter.bucket) &&
        (filter.key === undefined || entry.key === filter.key),
    );
  }

  /** Counts by kind; kinds that did not occur are absent. */
  counts(filter: LogFilter = {}): Partial<Record<RequestKind, number>> {
    const counts: Partial<Record<RequestKind, number>> = {};
    for (const { kind } of this.find(undefined, filter)) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  reset(): void {
    this.entries = [];
  }
}

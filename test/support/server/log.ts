import type { RequestKind } from './kinds.js';
import type { Protocol } from './model.js';

export interface LogEntry {
  protocol: Protocol;
  kind: RequestKind;
  bucket: string;
  key: string;
  partNumber?: number;
  uploadId?: string;
  /** Status of the response; 0 before the response, or when the connection ended before it. */
  status: number;
  /** Body bytes. */
  bytesIn: number;
  bytesOut: number;
  /** Time of arrival, ms since 1970 by the machine's clock. */
  atMs: number;
  /** The whole response, success or error, was written to the connection, and no fault truncated it. */
  acknowledged: boolean;
  /** A fault was applied. */
  faulted: boolean;
}

export interface LogFilter {
  protocol?: Protocol;
  bucket?: string;
  key?: string;
}

/** Every request that arrived, including refused ones. */
export class RequestLog {
  entries: LogEntry[] = [];

  add(entry: LogEntry): void {
    this.entries.push(entry);
  }

  /** Number of requests of a kind (default all kinds). */
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

  /** Counts by kind; kinds without requests are absent. */
  counts(filter: LogFilter = {}): Partial<Record<RequestKind, number>> {
    const counts: Partial<Record<RequestKind, number>> = {};
    for (const { kind } of this.find(undefined, filter)) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  reset(): void {
    this.entries = [];
  }
}

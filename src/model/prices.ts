/** What a service charges, as the person's contract says: xsync knows no prices of its own. */
export interface Prices {
  /** Shown with the amounts; `USD` when absent. */
  currency?: string;
  /** Of 1,000 requests. */
  list?: number;
  /** Of 1,000 requests; HEADs too. */
  get?: number;
  /** Of 1,000 requests; copies, the parts of an upload, its start and its end too. */
  put?: number;
  /** Of 1,000 requests: deletes, and uploads that are given up. */
  delete?: number;
  /** Of a GB (2^30 bytes, as AWS and Alibaba Cloud count) that leaves the service. */
  egress?: number;
  /** Of a GB through transfer acceleration, either way, beside what it costs anyway. */
  accelerated?: number;
}

/** Amounts of one currency. */
export interface Cost {
  currency: string;
  amount: number;
  /** Of the amount: what transfer acceleration adds. */
  acceleration: number;
}

/** Tests: test/observe/bridge.test.ts */

/** What an end of a bridge has to do, and has done. */
export interface Backlog {
  /** By state. */
  tickets: Readonly<Record<string, number>>;
  /** Of the objects that wait. */
  waitingBytes: number;
  /** When the oldest change that waits was noticed, ms since 1970. */
  oldestMs?: number;
}

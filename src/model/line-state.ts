/** What the kernel measures of the connections to a far server. Times in milliseconds. */
export interface LineState {
  /** Connections that have been heard from in the last second. */
  connections: number;
  /** The shortest round trip of any of them. */
  leastMs: number;
  /** How much longer round trips take at present, as the median over the connections: they wait in front of a line that is full. */
  waitMs: number;
  /** At each look, the connections that have lost packets since the last one are added. */
  losers: number;
}

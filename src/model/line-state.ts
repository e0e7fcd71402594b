/** What the kernel measures of the connections to far servers that are sending. Times in milliseconds. */
export interface LineState {
  /**
   * Connections with several packets in flight, and acknowledgments within the last second. Others show nothing: the
   * acknowledgment of a request may wait for the server's answer.
   */
  senders: number;
  /** The shortest round trip to the server, as the median over them. */
  leastMs: number;
  /** How much longer round trips take at present, as the median over them: packets wait in front of a line that is full. */
  waitMs: number;
  /** Those of them that have lost packets since the last look. */
  lossy: number;
}

/** Looks at the connections. Undefined if none is to a far server. */
export type LineWatch = () => LineState | undefined;

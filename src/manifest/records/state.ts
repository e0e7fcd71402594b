/** The state of a bridge in records. Tests: test/contract/state.test.ts */
import type { PullState } from '../state.js';
import { RecordCheckpoints } from './checkpoints.js';
import type { Records } from './port.js';
import { RecordTickets } from './tickets.js';
import { RecordRows } from './written.js';

export function pullStateIn(records: Records): PullState {
  return {
    queue: new RecordTickets(records),
    checkpoints: new RecordCheckpoints(records),
    written: new RecordRows(records),
    close: () => records.close(),
  };
}

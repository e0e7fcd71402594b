/** The library: what the command line can do, a program can do. */

export { type CheckOptions, runCheck } from './engine/check/check.js';
export type { CheckEvent, Checked, CheckReporter, CheckSummary } from './engine/check/findings.js';
export type { CopyReason, SkipReason, TransferPolicy } from './engine/decide/decide.js';
export type { Failure, Reporter, RunEvent, Summary, Traffic } from './engine/events.js';
export { createFilter, type Filter, type FilterOptions } from './engine/filter/filter.js';
export type { RunOptions } from './engine/options.js';
export type { RunPair, RunSide } from './engine/pair.js';
export { runPair } from './engine/run.js';
export { type ErrorClass, type ErrorCode, isXsyncError, XsyncError } from './model/error.js';
export type { ContentHeaders, ObjectEntry, ObjectInfo, UserMetadata } from './model/object.js';
export type { VerifiedBy } from './model/verified.js';
export {
  type OpenPair,
  type OpenSettings,
  type OpenSide,
  openPair,
  openSide,
  openToRead,
  openToRepair,
  stateDirectory,
} from './open.js';
export type { Capabilities, ObjectStore } from './store/port.js';

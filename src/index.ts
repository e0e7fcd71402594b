/** The library: the functions of the command line for programs, described in docs/library.md. */
export type { CheckEvent, Checked, CheckSummary } from './engine/check/findings.js';
export type { RepairSummary } from './engine/check/repair.js';
export type { Failure, RunEvent, Summary, Traffic } from './engine/events.js';
export type { Bandwidth, BandwidthSlot } from './engine/job/bandwidth.js';
export type { CheckJob, CopyJob, GivenJob, Job, MirrorJob, MoveJob, SyncJob, WatchJob } from './engine/job/job.js';
export type { PairStatus } from './engine/record/status.js';
export { type ErrorClass, type ErrorCode, isXsyncError, XsyncError } from './model/error.js';
export type { ContentHeaders, ObjectEntry, ObjectInfo, UserMetadata } from './model/object.js';
export type { VerifiedBy } from './model/verified.js';
export type { CheckOutcome } from './open/check-job.js';
export {
  check,
  copy,
  type KnownStatus,
  mirror,
  type OpenStore,
  openStore,
  type RunSettings,
  type StoreOptions,
  status,
  sync,
  watch,
} from './open/library.js';
export type { Dropped, Run } from './open/run.js';
export type { Capabilities, ObjectStore } from './store/port.js';

/**
 * Handlers for functions in AWS Lambda and Alibaba Function Compute: `xsync/serverless`, described in docs/serverless.md.
 * Tests: test/e2e/serverless.test.ts
 */

export { copyEvents, copyNoted } from './copy.js';
export type { HttpResult } from './http.js';
export {
  type Callback,
  type Environment,
  type Handler,
  type Invocation,
  onFunctionCompute,
  onLambda,
  type Work,
} from './invocation.js';
export { performTickets, receiveTickets } from './pull.js';
export { type BatchResult, hearOutcomes, pushEvents, sweepOutbox } from './push.js';
export type { WorkResult } from './work.js';

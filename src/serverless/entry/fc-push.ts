/** The handlers of `fc-push.zip`, for Function Compute. Tests: test/e2e/serverless.test.ts */
import { onFunctionCompute } from '../invocation.js';
import { hearOutcomes, pushEvents, sweepOutbox } from '../push.js';

export const events = onFunctionCompute(pushEvents(process.env), process.env);
export const sweep = onFunctionCompute(sweepOutbox(process.env), process.env);
export const hear = onFunctionCompute(hearOutcomes(process.env), process.env);

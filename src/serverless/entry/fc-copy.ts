/** The handlers of `fc-copy.zip`, for Function Compute. Tests: test/e2e/serverless.test.ts */
import { copyEvents, copyNoted } from '../copy.js';
import { onFunctionCompute } from '../invocation.js';

export const events = onFunctionCompute(copyEvents(process.env), process.env);
export const work = onFunctionCompute(copyNoted(process.env), process.env);

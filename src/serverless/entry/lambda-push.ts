/** The handlers of `lambda-push.zip`, for AWS Lambda. Tests: test/e2e/serverless.test.ts */
import { onLambda } from '../invocation.js';
import { hearOutcomes, pushEvents, sweepOutbox } from '../push.js';

export const events = onLambda(pushEvents(process.env), process.env);
export const sweep = onLambda(sweepOutbox(process.env), process.env);
export const hear = onLambda(hearOutcomes(process.env), process.env);

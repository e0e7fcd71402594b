/** The handlers of `lambda-copy.zip`, for AWS Lambda. Tests: test/e2e/serverless.test.ts */
import { copyEvents, copyNoted } from '../copy.js';
import { onLambda } from '../invocation.js';

export const events = onLambda(copyEvents(process.env), process.env);
export const work = onLambda(copyNoted(process.env), process.env);

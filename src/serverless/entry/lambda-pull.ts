/** The handlers of `lambda-pull.zip`, for AWS Lambda. Tests: test/e2e/serverless.test.ts */
import { onLambda } from '../invocation.js';
import { performTickets, receiveTickets } from '../pull.js';

export const receive = onLambda(receiveTickets(process.env), process.env);
export const work = onLambda(performTickets(process.env), process.env);

/** The handlers of `fc-pull.zip`, for Function Compute. Tests: test/e2e/serverless.test.ts */
import { onFunctionCompute } from '../invocation.js';
import { performTickets, receiveTickets } from '../pull.js';

export const receive = onFunctionCompute(receiveTickets(process.env), process.env);
export const work = onFunctionCompute(performTickets(process.env), process.env);

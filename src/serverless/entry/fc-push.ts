import { onFunctionCompute } from '../invocation.js';
import { pushEvents, sweepOutbox } from '../push.js';

export const events = onFunctionCompute(pushEvents(process.env), process.env);
export const sweep = onFunctionCompute(sweepOutbox(process.env), process.env);

import { onFunctionCompute } from '../invocation.js';
import { performTickets, receiveTickets } from '../pull.js';

export const receive = onFunctionCompute(receiveTickets(process.env), process.env);
export const work = onFunctionCompute(performTickets(process.env), process.env);

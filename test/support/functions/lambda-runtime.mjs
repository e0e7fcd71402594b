/**
 * What runs in a Lambda environment: loads a handler, and asks the runtime API for calls.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const [file, name] = process.env._HANDLER.split('.');

const post = (path, body) => fetch(api + path, { method: 'POST', body: JSON.stringify(body) });
const told = (error) => ({ errorType: error?.name, errorMessage: String(error?.message ?? error) });

let handler;
try {
  handler = createRequire(import.meta.url)(join(process.env.LAMBDA_TASK_ROOT, `${file}.js`))[name];
} catch (error) {
  await post('/init/error', told(error));
  process.exit(1);
}
for (;;) {
  const next = await fetch(`${api}/invocation/next`);
  const id = next.headers.get('lambda-runtime-aws-request-id');
  const deadlineMs = Number(next.headers.get('lambda-runtime-deadline-ms'));
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadlineMs - Date.now() };
  try {
    await post(`/invocation/${id}/response`, (await handler(await next.json(), context)) ?? null);
  } catch (error) {
    await post(`/invocation/${id}/error`, told(error));
  }
}

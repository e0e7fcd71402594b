/**
 * Calls the function that works, later: it need not be waited for.
 * - Lambda: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, `InvocationType` `Event`
 * - Function Compute 3: https://www.alibabacloud.com/help/en/functioncompute/fc-3-0/developer-reference/api-fc-2023-03-30-invokefunction
 * - Signature of Alibaba Cloud: https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
 * Tests: test/serverless/worker.test.ts
 */
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { XsyncError } from '../model/error.js';
import { Signer } from '../store/s3/sign.js';
import type { Environment, Invocation } from './invocation.js';

interface Call {
  /** Origin of the service. */
  origin: string;
  path: string;
  body: string;
  headers: Record<string, string>;
}

/** @throws config; server-error, throttled or access-denied: it was not called */
export async function callLater(name: string, event: object, { env, later }: Invocation): Promise<void> {
  const body = JSON.stringify(event);
  const call = later.cloud === 'aws' ? onLambda(name, body, env) : onFunctionCompute(name, body, env, later);
  const { origin, path, headers } = call;
  const { host: _, ...sent } = headers;
  const answer = await fetch(origin + path, {
    method: 'POST',
    body,
    headers: sent,
    signal: AbortSignal.timeout(10_000),
  }).catch((cause: unknown) => {
    throw new XsyncError('network', `the function ${name} cannot be called`, { subject: name, cause });
  });
  const said = await answer.text();
  if (answer.status === 202) return;
  const code = answer.status === 429 ? 'throttled' : answer.status === 403 ? 'access-denied' : 'server-error';
  throw new XsyncError(code, `the function ${name} cannot be called: ${answer.status} ${said.slice(0, 200)}`, {
    subject: name,
    status: answer.status,
    ...(code === 'access-denied' && { remedy: 'Allow the role of this function to invoke it.' }),
  });
}

function onLambda(name: string, body: string, env: Environment): Call {
  const region = needed(env, 'AWS_REGION');
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  // The variables of the SDKs: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
  const origin = env.AWS_ENDPOINT_URL_LAMBDA ?? `https://lambda.${region}.${domain}`;
  const path = `/2015-03-31/functions/${encodeURIComponent(name)}/invocations`;
  const headers: Record<string, string> = {
    host: new URL(origin).host,
    'content-type': 'application/json',
    'x-amz-invocation-type': 'Event',
    'x-amz-content-sha256': sha256(body),
  };
  const credentials = {
    accessKeyId: needed(env, 'AWS_ACCESS_KEY_ID'),
    secretAccessKey: needed(env, 'AWS_SECRET_ACCESS_KEY'),
    sessionToken: env.AWS_SESSION_TOKEN,
  };
  new Signer(region, 'lambda').sign({ method: 'POST', path, query: '', headers }, credentials, Date.now());
  return { origin, path, body, headers };
}

function onFunctionCompute(
  name: string,
  body: string,
  env: Environment,
  { account, region }: { account: string; region: string },
): Call {
  const origin = env.XSYNC_FC_ENDPOINT ?? `https://${account}.${region}-internal.fc.aliyuncs.com`;
  const path = `/2023-03-30/functions/${encodeURIComponent(name)}/invocations`;
  const token = env.ALIBABA_CLOUD_SECURITY_TOKEN;
  const headers: Record<string, string> = {
    host: new URL(origin).host,
    'content-type': 'application/json',
    'x-acs-action': 'InvokeFunction',
    'x-acs-content-sha256': sha256(body),
    'x-acs-date': new Date().toISOString().replace(/\.\d+/, ''),
    'x-acs-signature-nonce': randomUUID(),
    'x-acs-version': '2023-03-30',
    'x-fc-invocation-type': 'Async',
    ...(token && { 'x-acs-security-token': token }),
  };
  const names = Object.keys(headers)
    .filter((header) => header === 'host' || header === 'content-type' || header.startsWith('x-acs-'))
    .sort();
  const lines = names.map((header) => `${header}:${headers[header]}\n`).join('');
  const canonical = ['POST', path, '', lines, names.join(';'), sha256(body)].join('\n');
  const secret = needed(env, 'ALIBABA_CLOUD_ACCESS_KEY_SECRET');
  const signature = createHmac('sha256', secret)
    .update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
    .digest('hex');
  const credential = needed(env, 'ALIBABA_CLOUD_ACCESS_KEY_ID');
  headers.authorization = `ACS3-HMAC-SHA256 Credential=${credential},SignedHeaders=${names.join(';')},Signature=${signature}`;
  return { origin, path, body, headers };
}

/** @throws config */
function needed(env: Environment, name: string): string {
  const value = env[name];
  if (value) return value;
  throw new XsyncError('config', `${name} is not set`, {
    subject: name,
    remedy: 'Give the function a role: the cloud sets its credentials.',
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

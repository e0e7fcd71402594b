/**
 * What functions are told by their environment. The tables are those of docs/serverless.md.
 * Tests: test/serverless/settings.test.ts
 */
import * as z from 'zod';
import { bridgeSecrets, secretsIn } from '../bridge/keys.js';
import { XsyncError } from '../model/error.js';
import type { Environment } from './invocation.js';

const text = z.string().min(1);
const list = text.transform((value) => value.split(/[\s,]+/).filter(Boolean)).pipe(z.array(z.string()).min(1));
const number = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

const job = z
  .string()
  .transform((value, context): unknown => {
    try {
      return JSON.parse(value);
    } catch {
      context.addIssue({ code: 'custom', message: 'is not JSON' });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.unknown()));

const ATTEMPTS = number(1, 10_000).default(10).describe('attempts before a ticket is given up');
const STATE = text.describe(
  'where state is kept: `dynamodb://TABLE`, or a place in a bucket such as `s3://BUCKET/PREFIX`',
);
const DELETE = flag.default(false);
const MARGIN = number(1, 3600)
  .default(30)
  .describe('seconds before the end of a call at which no part starts any more; what is in flight must fit');
const WORKER = text
  .optional()
  .describe('name of the function that works; it is called when there is work, and calls itself to go on');
const JOB = job
  .default({})
  .describe('JSON with more options of a copy, as in [library.md](library.md): `{"partSize": 16777216}`');

const SECRET = {
  XSYNC_BRIDGE_SECRET: text
    .optional()
    .describe('the secret that both ends share; two, separated by a space, while it is replaced'),
  XSYNC_BRIDGE_SECRET_FILE: text.optional().describe('instead: a file with one secret a line'),
  XSYNC_BRIDGE_SECRET_ID: text
    .optional()
    .describe('instead: name or ARN of a secret in AWS Secrets Manager; needs the Parameters and Secrets extension'),
};

export const PUSH = {
  XSYNC_SOURCE: text.describe('the source: `s3://BUCKET/PREFIX`, `oss://BUCKET/PREFIX` or `REMOTE:BUCKET/PREFIX`'),
  XSYNC_PULL_URL: z.url({ protocol: /^https?$/ }).describe('address of the pulling end'),
  ...SECRET,
  XSYNC_STATE: STATE.optional().describe(STATE.description ?? ''),
  XSYNC_EXPIRE_SECONDS: number(60, 604_800).default(3600).describe('time until a presigned URL expires'),
  XSYNC_ATTEMPTS: ATTEMPTS,
  XSYNC_DELETE: DELETE.describe('`true`: deletes cross, too; needs XSYNC_STATE'),
  XSYNC_CALLBACK_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('address of `index.hear`, where the other end tells outcomes; needs XSYNC_STATE'),
  XSYNC_TAGS: flag.default(false).describe('`true`: tags cross, too; one request more at the source for each object'),
  XSYNC_ACL: flag.default(false).describe('`true`: ACLs cross, too; one request more at the source for each object'),
  XSYNC_MARGIN_SECONDS: MARGIN,
};

export const PULL = {
  XSYNC_DESTINATION: text.describe(
    'the destination: `oss://BUCKET/PREFIX`, `s3://BUCKET/PREFIX` or `REMOTE:BUCKET/PREFIX`',
  ),
  XSYNC_ALLOW_HOST: list.describe(
    'hosts of presigned URLs that may be read, separated by commas: `*.s3.us-east-1.amazonaws.com`',
  ),
  XSYNC_ALLOW_PRIVATE: list.default([]).describe('of them, those that may have private addresses'),
  ...SECRET,
  XSYNC_STATE: STATE,
  XSYNC_ALLOW_CALLBACK: list
    .default([])
    .describe('hosts of pushing ends that may be told outcomes, separated by commas'),
  XSYNC_QUEUE_LIMIT: number(1, 10_000_000).default(100_000).describe('tickets that may wait; more are refused for now'),
  XSYNC_ATTEMPTS: ATTEMPTS,
  XSYNC_DELETE: DELETE.describe('`true`: deletes what tickets say is gone, if it was written from here'),
  XSYNC_WORKER: WORKER,
  XSYNC_MARGIN_SECONDS: MARGIN,
  XSYNC_JOB: JOB,
};

export const COPY = {
  XSYNC_SOURCE: PUSH.XSYNC_SOURCE,
  XSYNC_DESTINATION: PULL.XSYNC_DESTINATION,
  XSYNC_STATE: STATE,
  XSYNC_DELETE: PULL.XSYNC_DELETE.describe('`true`: deletes what is gone from the source, if it was written from here'),
  XSYNC_WORKER: WORKER,
  XSYNC_MARGIN_SECONDS: MARGIN,
  XSYNC_JOB: JOB,
};

const pushSettings = z
  .object(PUSH)
  .refine((given) => !given.XSYNC_DELETE || given.XSYNC_STATE, {
    path: ['XSYNC_DELETE'],
    message: 'needs XSYNC_STATE',
  })
  .refine((given) => !given.XSYNC_CALLBACK_URL || given.XSYNC_STATE, {
    path: ['XSYNC_CALLBACK_URL'],
    message: 'needs XSYNC_STATE',
  });
const pullSettings = z.object(PULL);
const copySettings = z.object(COPY);

export type PushSettings = z.output<typeof pushSettings>;
export type PullSettings = z.output<typeof pullSettings>;
export type CopySettings = z.output<typeof copySettings>;

export const readPushSettings = (env: Environment): PushSettings => read(pushSettings, env);
export const readPullSettings = (env: Environment): PullSettings => read(pullSettings, env);
export const readCopySettings = (env: Environment): CopySettings => read(copySettings, env);

/** An empty variable is one that is not set. @throws config: a line for each variable that is wrong */
function read<T>(schema: z.ZodType<T>, env: Environment): T {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const problems = error.issues.map(({ path: [name = ''], message }) =>
    name in given ? `${String(name)}: ${message}` : `${String(name)} is not set`,
  );
  throw new XsyncError('config', [...new Set(problems)].join('\n'), {
    subject: String(error.issues[0]?.path[0]),
    remedy: 'Set the variables of the function as docs/serverless.md says.',
  });
}

type SecretSettings = Pick<PushSettings, keyof typeof SECRET>;

/**
 * The secrets that both ends share.
 * @throws config: there are none, they are too short, or cannot be read
 */
export async function secretsOf(settings: SecretSettings, env: Environment): Promise<readonly string[]> {
  const { XSYNC_BRIDGE_SECRET_ID: id, XSYNC_BRIDGE_SECRET_FILE: file } = settings;
  return id === undefined ? bridgeSecrets(file, env) : secretsIn(await secretString(id, env), id);
}

/**
 * Asks the AWS Parameters and Secrets Lambda Extension, which keeps what it has read for five minutes.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 */
async function secretString(id: string, env: Environment): Promise<string> {
  const port = env.PARAMETERS_SECRETS_EXTENSION_HTTP_PORT ?? '2773';
  const url = `http://localhost:${port}/secretsmanager/get?secretId=${encodeURIComponent(id)}`;
  const headers = { 'X-Aws-Parameters-Secrets-Token': env.AWS_SESSION_TOKEN ?? '' };
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return z.object({ SecretString: z.string() }).parse(await answer.json()).SecretString;
  } catch (cause) {
    // What the extension answers may contain the secret.
    throw new XsyncError('config', `the secret ${id} cannot be read through the Parameters and Secrets extension`, {
      subject: 'XSYNC_BRIDGE_SECRET_ID',
      remedy: 'Add the extension as a layer, and allow secretsmanager:GetSecretValue.',
      cause,
    });
  }
}

/**
 * One call of a function, whichever cloud makes it.
 * - Lambda: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 * - Function Compute: https://www.alibabacloud.com/help/en/functioncompute/fc-3-0/user-guide/event-handlers-2
 * Tests: test/serverless/invocation.test.ts
 */
import * as z from 'zod';

/** Called by the cloud. `callback` is that of Function Compute. */
export type Handler = (event: unknown, context: unknown, callback?: Callback) => Promise<unknown> | undefined;
export type Callback = (error: unknown, result?: unknown) => void;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Invocation {
  /** Until the cloud ends the call, ms. */
  leftMs(): number;
  /** With the credentials of this call. */
  env: Environment;
  /** Calls a function of the same account and region later, and does not wait for it. */
  later: { cloud: 'aws' } | { cloud: 'alibaba'; account: string; region: string };
}

export type Work = (event: unknown, invocation: Invocation) => Promise<unknown>;

const lambdaContext = z.object({ getRemainingTimeInMillis: z.custom<() => number>((it) => typeof it === 'function') });

/** A handler for AWS Lambda. */
export function onLambda(work: Work, env: Environment): Handler {
  return async (event, context) => {
    const { getRemainingTimeInMillis } = lambdaContext.parse(context);
    return work(event, { leftMs: () => getRemainingTimeInMillis.call(context), env, later: { cloud: 'aws' } });
  };
}

const fcContext = z.object({
  credentials: z
    .object({ accessKeyId: z.string(), accessKeySecret: z.string(), securityToken: z.string().nullish() })
    .nullish(),
  function: z.object({ timeout: z.coerce.number().positive() }),
  region: z.string().default(''),
  accountId: z.coerce.string().default(''),
});

/**
 * A handler for Function Compute, which passes bytes. Its older runtimes know the callback only. The role of the function
 * takes the place of keys in the environment, because its credentials are new ones for each call.
 */
export function onFunctionCompute(work: Work, env: Environment): Handler {
  return (event, given, callback) => {
    const startedMs = Date.now();
    const run = async (): Promise<unknown> => {
      const { credentials, function: own, region, accountId } = fcContext.parse(given);
      return work(jsonOf(event), {
        leftMs: () => startedMs + own.timeout * 1000 - Date.now(),
        env: credentials?.accessKeyId ? { ...env, ...variablesOf(credentials) } : env,
        later: { cloud: 'alibaba', account: accountId, region },
      });
    };
    if (!callback) return run();
    run().then((result) => callback(null, result), callback);
    return undefined;
  };
}

function variablesOf({
  accessKeyId,
  accessKeySecret,
  securityToken,
}: NonNullable<z.output<typeof fcContext>['credentials']>) {
  return {
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
    ALIBABA_CLOUD_SECURITY_TOKEN: securityToken ?? undefined,
  };
}

/** What is not JSON is left to whoever reads the event. */
function jsonOf(event: unknown): unknown {
  if (!(event instanceof Uint8Array) && typeof event !== 'string') return event;
  const text = typeof event === 'string' ? event : Buffer.from(event).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

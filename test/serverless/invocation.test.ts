import { describe, expect, test } from 'vitest';
import { type Invocation, onFunctionCompute, onLambda } from '../../src/serverless/invocation.js';

const seen: { event: unknown; invocation: Invocation }[] = [];
const work = async (event: unknown, invocation: Invocation) => {
  seen.push({ event, invocation });
  if (event === 'fail') throw new Error('it failed');
  return { well: true };
};

const FC = {
  requestId: 'b1c5100f-819d-c421-3a5e-7782a27d8a33',
  credentials: { accessKeyId: 'STS.id', accessKeySecret: 'secret', securityToken: 'token' },
  function: { name: 'my-func', handler: 'index.handler', memory: 128, timeout: 10 },
  region: 'cn-shanghai',
  accountId: '123456',
};

test('Lambda tells how long is left', async () => {
  const context = {
    left: 5_000,
    getRemainingTimeInMillis: function (this: { left: number }) {
      return this.left;
    },
  };
  expect(await onLambda(work, { A: '1' })({ x: 1 }, context)).toEqual({ well: true });
  const { event, invocation } = seen.at(-1) ?? expect.fail();
  expect(event).toEqual({ x: 1 });
  expect(invocation.leftMs()).toBe(5_000);
  expect(invocation).toMatchObject({ env: { A: '1' }, later: { cloud: 'aws' } });
});

describe('Function Compute', () => {
  test('passes bytes, and the credentials of the role with each call', async () => {
    const handler = onFunctionCompute(work, { A: '1', ALIBABA_CLOUD_ACCESS_KEY_ID: 'of an earlier call' });
    expect(await handler(Buffer.from('{"x":1}'), FC)).toEqual({ well: true });
    const { event, invocation } = seen.at(-1) ?? expect.fail();
    expect(event).toEqual({ x: 1 });
    expect(invocation.leftMs()).toBeLessThanOrEqual(10_000);
    expect(invocation.env).toEqual({
      ...{ A: '1', ALIBABA_CLOUD_ACCESS_KEY_ID: 'STS.id', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret' },
      ALIBABA_CLOUD_SECURITY_TOKEN: 'token',
    });
    expect(invocation.later).toEqual({ cloud: 'alibaba', account: '123456', region: 'cn-shanghai' });
  });

  test('without a role, the environment is what it was', async () => {
    await onFunctionCompute(work, { A: '1' })(Buffer.from('{}'), {
      ...FC,
      credentials: { accessKeyId: '', accessKeySecret: '' },
    });
    expect(seen.at(-1)?.invocation.env).toEqual({ A: '1' });
  });

  test('hears the end of a call by its callback', async () => {
    const handler = onFunctionCompute(work, {});
    const call = (event: string) =>
      new Promise((resolve) => {
        expect(
          handler(event, FC, (error, result) => resolve({ error: error && String(error), result })),
        ).toBeUndefined();
      });
    expect(await call('{}')).toEqual({ error: null, result: { well: true } });
    expect(await call('fail')).toEqual({ error: 'Error: it failed', result: undefined });
  });
});

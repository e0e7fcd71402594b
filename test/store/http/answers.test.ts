import { expect, it } from 'vitest';
import { answerTogether } from '../../../src/store/http/answers.js';
import type { HttpResponse } from '../../../src/store/http/message.js';

const RESPONSE: HttpResponse = { status: 200, headers: {}, body: Buffer.alloc(0), received: 0, cut: false };

it('takes each step of the callers for all of them before the next one', async () => {
  const steps: string[] = [];
  const call = async (name: string, answer: Promise<HttpResponse>) => {
    await answer;
    steps.push(`${name} checks`);
    await undefined;
    steps.push(`${name} writes`);
  };
  const receive = async (name: string) => {
    const called = call(name, new Promise((resolve) => answerTogether(resolve, RESPONSE)));
    // What the callers would do before the next response is received.
    for (let i = 0; i < 10; i++) await undefined;
    return { called };
  };
  const first = await receive('a');
  const second = await receive('b');
  await Promise.all([first.called, second.called]);
  expect(steps).toEqual(['a checks', 'b checks', 'a writes', 'b writes']);
});

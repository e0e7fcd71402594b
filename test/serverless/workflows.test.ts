/** The workflows of examples/functions call the working function until it says that it is done. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';

const file = (name: string) => readFileSync(new URL(`../../examples/functions/${name}`, import.meta.url), 'utf8');

/** The states that are used, as https://states-language.net/spec.html has them. */
const choice = z.strictObject({
  Variable: z.enum(['$.done', '$.waitSeconds']),
  BooleanEquals: z.boolean().optional(),
  NumericGreaterThan: z.number().optional(),
  Next: z.string(),
});
const state = z.discriminatedUnion('Type', [
  z.object({ Type: z.literal('Task'), Resource: z.string(), ResultSelector: z.object({}), Next: z.string() }),
  z.strictObject({ Type: z.literal('Choice'), Choices: z.array(choice), Default: z.string() }),
  z.strictObject({ Type: z.literal('Wait'), SecondsPath: z.literal('$.waitSeconds'), Next: z.string() }),
  z.strictObject({ Type: z.literal('Succeed') }),
]);
const machine = z.object({ StartAt: z.string(), States: z.record(z.string(), state) });

test('Step Functions', () => {
  const { StartAt, States } = machine.parse(JSON.parse(file('step-functions.asl.json')));
  const answers = [
    { done: false, waitSeconds: 0 },
    { done: false, waitSeconds: 7 },
    { done: true, waitSeconds: 0 },
  ];
  const seen: string[] = [];
  let said = { done: false, waitSeconds: 0 };
  for (let name = StartAt, at = States[name]; at; at = States[name]) {
    seen.push(at.Type);
    if (at.Type === 'Succeed') break;
    if (at.Type === 'Task') said = answers.shift() ?? expect.fail();
    const { done, waitSeconds } = said;
    const holds = ({ BooleanEquals, NumericGreaterThan = Number.POSITIVE_INFINITY }: z.output<typeof choice>) =>
      BooleanEquals === undefined ? waitSeconds > NumericGreaterThan : done === BooleanEquals;
    name = at.Type === 'Choice' ? (at.Choices.find(holds)?.Next ?? at.Default) : at.Next;
  }
  expect(seen).toEqual(['Task', 'Choice', 'Task', 'Choice', 'Wait', 'Task', 'Choice', 'Succeed']);
  expect(answers).toEqual([]);
});

test('Serverless workflow: it goes back as long as there is work', () => {
  const step = z.object({
    type: z.string(),
    name: z.string(),
    choices: z.array(z.object({ condition: z.string(), goto: z.string() })).optional(),
    default: z.object({ goto: z.string() }).optional(),
  });
  const { steps } = z
    .object({ version: z.literal('v1'), type: z.literal('flow'), steps: z.array(step) })
    .parse(parse(file('cloudflow.fdl.yaml')));
  const at = Object.fromEntries(steps.map(({ name }, index) => [name, index]));
  const left = steps.find(({ type }) => type === 'choice') ?? expect.fail();
  expect(steps[at[left.name] ?? -1]).toBe(left);
  expect(left.choices).toEqual([{ condition: '$.done == true', goto: 'finished' }]);
  expect(at[left.default?.goto ?? '']).toBeLessThan(at.work ?? -1);
  expect(steps.at(-1)).toMatchObject({ type: 'succeed', name: 'finished' });
});

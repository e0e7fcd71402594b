/**
 * The templates for clouds fit the bundles: zips, handlers, variables, rights and tables. Those of AWS are also checked by
 * cfn-lint, in .ci/run.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse, type Tags } from 'yaml';
import * as z from 'zod';
import { ZIPS } from '../../build/serverless.js';
import { isOverride } from '../../src/config/environment.js';
import { loadConfig } from '../../src/config/load.js';
import {
  COPY,
  PULL,
  PUSH,
  readCopySettings,
  readPullSettings,
  readPushSettings,
} from '../../src/serverless/settings.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const text = (file: string): string => readFileSync(root + file, 'utf8');
const AWS = 'examples/aws-global-to-china/';
const ALIBABA = 'examples/oss-shanghai-to-silicon-valley/';

const KINDS = {
  push: { settings: PUSH, read: readPushSettings },
  pull: { settings: PULL, read: readPullSettings },
  copy: { settings: COPY, read: readCopySettings },
};

interface Deployed {
  zip: string;
  handler: string;
  env: Record<string, string>;
}

const kindOf = (zip: string) => KINDS[z.enum(['push', 'pull', 'copy']).parse(zip.split('-')[1])];

/** What holds for every function of a template. */
function fits({ zip, handler, env }: Deployed): void {
  expect(ZIPS).toContain(zip);
  const exported = Array.from(
    text(`src/serverless/entry/${zip}.ts`).matchAll(/export const (\w+)/g),
    ([, name]) => name,
  );
  expect(exported.map((name) => `index.${name}`)).toContain(handler);
  const { settings, read } = kindOf(zip);
  expect(Object.keys(env).filter((name) => !(name in settings) && !isOverride(name))).toEqual([]);
  // Throws if a variable that is required is not set.
  read(env);
}

describe('SAM', () => {
  const samples: Record<string, string> = {
    ...{ SourceBucket: 'photos', DestinationBucket: 'photos-cn', PullUrl: 'https://bridge.example.cn' },
    ...{ SourceHosts: 'photos.s3.us-east-1.amazonaws.com', SecretArn: 'arn:x:secretsmanager:y:1:secret:z' },
    ...{ 'AWS::Partition': 'aws-cn', 'AWS::StackName': 'xsync', PropagateDeletes: 'true', SourcePrefix: '' },
    CarryTags: 'true',
    DestinationPrefix: 'in/',
  };
  const sample = (name: string): string => samples[name] ?? name;
  const same = { resolve: (value: string) => value };
  const list = { collection: 'seq' as const, resolve: (value: unknown) => value };
  const tags: Tags = [
    { tag: '!Ref', resolve: sample },
    { tag: '!GetAtt', ...same },
    { tag: '!Sub', resolve: (value: string) => value.replace(/\$\{([^}]+)\}/g, (_, name) => sample(name)) },
    ...['!If', '!Not', '!Equals'].map((tag) => ({ tag, ...list })),
  ];
  const templates = ['source.yaml', 'destination.yaml'];
  const read = (name: string) => parse(text(AWS + name), { customTags: tags });
  const chosen = (value: unknown): string => (Array.isArray(value) ? String(value[1]) : String(value));

  const resource = z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()) });
  const template = z.object({
    Globals: z.object({
      Function: z.looseObject({
        CodeUri: z.string(),
        Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
      }),
    }),
    Resources: z.record(z.string(), resource),
  });

  /** Every value of a key, however deep. */
  function* valuesOf(key: string, within: unknown): Iterable<unknown> {
    if (typeof within !== 'object' || within === null) return;
    for (const [name, value] of Object.entries(within)) {
      if (name === key) yield* Array.isArray(value) ? value : [value];
      else yield* valuesOf(key, value);
    }
  }

  it.each(templates)('%s: zips, handlers and variables', (name) => {
    const { Globals, Resources } = template.parse(read(name));
    const functions = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Serverless::Function');
    const zip = /^\.\.\/\.\.\/dist\/functions\/(.*)\.zip$/.exec(Globals.Function.CodeUri)?.[1] ?? '';
    const variables = Object.entries(Globals.Function.Environment.Variables);
    const env = Object.fromEntries(variables.map(([key, value]) => [key, chosen(value)]));
    for (const { Properties } of functions) fits({ zip, handler: String(Properties.Handler), env });
    expect(functions).toHaveLength(2);
    expect(Object.keys(env).filter((key) => key.startsWith('XSYNC_BRIDGE_SECRET'))).toEqual(['XSYNC_BRIDGE_SECRET_ID']);
    const names = functions.map(({ Properties }) => Properties.FunctionName);
    if (env.XSYNC_WORKER !== undefined) expect(names).toContain(env.XSYNC_WORKER);
  });

  it.each(templates)('%s: a table as the state needs it', (name) => {
    const { TableName: _, SSESpecification, ...table } = JSON.parse(text('examples/state/dynamodb.json'));
    const { Table } = template.parse(read(name)).Resources;
    expect(Table?.Properties).toEqual({
      ...table,
      SSESpecification: { SSEEnabled: SSESpecification.Enabled, SSEType: SSESpecification.SSEType },
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
    });
  });

  it.each(templates)('%s: no right that is not documented, for resources of the partition in use', (name) => {
    const { Resources } = template.parse(read(name));
    const documented = text('docs/serverless.md');
    const actions = [...valuesOf('Action', Resources)].map(String);
    expect(actions.filter((action) => /^(s3|dynamodb):/.test(action) && !documented.includes(action))).toEqual([]);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
    const resources = [
      ...valuesOf(
        'Resource',
        Object.values(Resources).map(({ Properties }) => Properties.Policies),
      ),
    ];
    expect(resources.length).toBeGreaterThan(0);
    expect(resources.map(String).filter((it) => it === '*' || it.startsWith('arn:aws:'))).toEqual([]);
  });

  it.each(templates)('%s: dead letters and what was given up raise an alarm', (name) => {
    const { Resources } = template.parse(read(name));
    const alarms = Object.values(Resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
    const metrics = alarms.map(({ Properties }) => Properties.MetricName);
    expect(metrics).toEqual(expect.arrayContaining(['ApproximateNumberOfMessagesVisible', 'xsync-given-up']));
    const dead = Object.keys(Resources).filter((it) => /^Dead\w+[^m]$/.test(it));
    expect([...valuesOf('Value', alarms)].map(String)).toEqual(
      expect.arrayContaining(dead.map((it) => `${it}.QueueName`)),
    );
  });

  it('has the workflow of examples/functions', () => {
    const { Workflow } = template.parse(read('destination.yaml')).Resources;
    const { Comment: _, ...own } = z.looseObject({ Comment: z.string() }).parse(Workflow?.Properties.Definition);
    const { Comment: __, ...theirs } = JSON.parse(
      text('examples/functions/step-functions.asl.json')
        // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of Step Functions
        .replaceAll('WORK_FUNCTION_ARN', '${Work}')
        // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of Step Functions
        .replace('arn:aws:', 'arn:${Partition}:'),
    );
    expect(own).toEqual(theirs);
  });
});

describe('Serverless Devs', () => {
  const vars: Record<string, string> = {
    ...{
      region: 'cn-shanghai',
      account: '1234567890',
      source: 'photos',
      destination: 'photos-us',
      state: 'photos-state',
    },
  };
  const props = z.looseObject({
    ...{ functionName: z.string(), handler: z.string(), code: z.string() },
    environmentVariables: z.record(z.string(), z.string()),
  });
  const file = z.object({
    template: z.object({ copy: z.looseObject({}) }),
    resources: z.record(
      z.string(),
      z.object({
        component: z.literal('fc3'),
        extend: z.object({ name: z.literal('copy') }),
        props: z.looseObject({}),
      }),
    ),
  });
  const written = text(`${ALIBABA}s.yaml`).replace(/\$\{vars\.(\w+)\}/g, (_, name) => vars[name] ?? expect.fail(name));
  const { template, resources } = file.parse(parse(written));
  const functions = Object.entries(resources).map(([name, own]): [string, unknown] => [
    name,
    { ...template.copy, ...own.props },
  ]);

  /** The schema allows any other property, so that a misspelled one would pass. */
  function strict(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map(strict);
    if (typeof schema !== 'object' || schema === null) return schema;
    const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
    return 'properties' in inner && inner.type === 'object' && !('additionalProperties' in inner)
      ? { ...inner, additionalProperties: false }
      : inner;
  }
  const schema = z
    .looseObject({})
    .parse(strict({ ...JSON.parse(text('test/examples/fc3/schema.json')), type: 'object' }));

  it.each(functions)('%s is valid by the schema of the component', (_, given) => {
    const ajv = new Ajv({ allErrors: true, strict: false });
    ajv.validate(schema, given);
    expect(ajv.errors).toBeNull();
    ajv.validate(schema, { ...props.parse(given), handlr: 'x', runtime: 'nodejs0' });
    expect(ajv.errors?.map(({ keyword }) => keyword)).toEqual(expect.arrayContaining(['additionalProperties', 'enum']));
  });

  it.each(functions)('%s: the triggers are valid by the schema of their type', (_, given) => {
    const { triggers } = z
      .object({ triggers: z.array(z.object({ triggerType: z.string(), triggerConfig: z.unknown() })).min(1) })
      .parse(given);
    for (const { triggerType, triggerConfig } of triggers) {
      const definition = { oss: 'IOssTriggerConfig', timer: 'ITimerTriggerConfig' }[triggerType];
      const ajv = new Ajv({ strict: false });
      ajv.validate({ definitions: schema.definitions, $ref: `#/definitions/${definition}` }, triggerConfig);
      expect(ajv.errors).toBeNull();
    }
  });

  it.each(functions)('%s: zip, handler and variables', async (_, given) => {
    const { handler, code, environmentVariables: env } = props.parse(given);
    fits({ zip: /^\.\.\/\.\.\/dist\/functions\/(.*)\.zip$/.exec(code)?.[1] ?? '', handler, env });
    expect(functions.map(([, each]) => props.parse(each).functionName)).toContain(env.XSYNC_WORKER);
    const { remotes } = await loadConfig({ env: { ...env, HOME: '/nonexistent' } });
    expect(remotes).toMatchObject({
      shanghai: { type: 'oss', region: 'cn-shanghai', internal: true },
      valley: { type: 'oss', region: 'us-west-1', endpoint: 'https://oss-accelerate.aliyuncs.com' },
    });
  });

  it('has no right that is not documented, and none on everything', () => {
    const { Statement } = z
      .object({ Statement: z.array(z.object({ Action: z.array(z.string()), Resource: z.array(z.string()) })) })
      .parse(JSON.parse(text(`${ALIBABA}policy.json`)));
    const documented = text('docs/serverless.md');
    const actions = Statement.flatMap(({ Action }) => Action);
    expect(actions.filter((action) => /^(oss|fc):/.test(action) && !documented.includes(action))).toEqual([]);
    expect([...actions, ...Statement.flatMap(({ Resource }) => Resource)].filter((it) => it.endsWith(':*'))).toEqual(
      [],
    );
  });
});

describe('README', () => {
  it.each([AWS, ALIBABA])('%s names files that exist, and says what it costs', (folder) => {
    const readme = text(`${folder}README.md`);
    for (const [, link = ''] of readme.matchAll(/\]\((?!https?:)([^)#]+)/g))
      expect(existsSync(root + folder + link), link).toBe(true);
    expect(readme).toContain('## What it costs');
    expect(readme).toContain('## When to outgrow it');
  });
});

/** Tests: test/manifest/dynamodb/open.test.ts */
import { XsyncError } from '../../model/error.js';

/** A table of DynamoDB, and which of the bridges in it. */
export interface TableAddress {
  region: string;
  table: string;
  /** Distinguishes bridges that share a table. */
  name: string;
  /** Overrides the service's endpoint, for compatible services. */
  endpoint?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const FORM = /^dynamodb:\/\/([\w.-]{3,255})(?:\/([\w.-]{1,100}))?\/?(?:\?(.*))?$/;

/**
 * Parses `dynamodb://table[/name][?region=REGION&endpoint=URL]`. Undefined for another scheme. Without `region`, it is that of
 * AWS_REGION, which functions have.
 * @throws config
 */
export function tableOf(text: string, env: Environment): TableAddress | undefined {
  if (!text.startsWith('dynamodb:')) return undefined;
  const [, table, name = 'bridge', query = ''] = FORM.exec(text) ?? [];
  const given = new URLSearchParams(query);
  const unknown = [...given.keys()].some((key) => key !== 'region' && key !== 'endpoint');
  if (table === undefined || unknown) {
    throw new XsyncError('config', `${text} names no table of DynamoDB`, {
      subject: text,
      remedy: 'Write it as dynamodb://TABLE, or dynamodb://TABLE/NAME?region=REGION.',
    });
  }
  const region = first(given.get('region'), env.AWS_REGION, env.AWS_DEFAULT_REGION);
  if (region === undefined || !/^[a-z0-9-]+$/.test(region)) {
    throw new XsyncError('config', `the region of the DynamoDB table ${table} is not known`, {
      subject: text,
      remedy: `Write dynamodb://${table}?region=REGION, or set AWS_REGION.`,
    });
  }
  const endpoint = first(given.get('endpoint'), env.AWS_ENDPOINT_URL_DYNAMODB, env.AWS_ENDPOINT_URL);
  return { region, table, name, ...(endpoint && { endpoint: endpoint.replace(/\/$/, '') }) };
}

function first(...values: readonly (string | null | undefined)[]): string | undefined {
  return values.map((value) => value?.trim()).find((value) => value !== undefined && value !== '');
}

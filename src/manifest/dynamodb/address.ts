/** Tests: test/manifest/dynamodb/records.test.ts */

/** A table of DynamoDB, and which of the bridges in it. */
export interface TableAddress {
  region: string;
  table: string;
  /** Distinguishes bridges that share a table. */
  name: string;
  /** Overrides the service's endpoint, for compatible services. */
  endpoint?: string;
}

const FORM = /^dynamodb:\/\/([a-z0-9-]+)\/([\w.-]{3,255})(?:\/([\w.-]{1,100}))?(?:\?endpoint=(https?:\/\/[^?#]+))?$/;

/** Parses `dynamodb://region/table[/name][?endpoint=URL]`. Undefined for any other text. */
export function tableOf(text: string, env: Readonly<Record<string, string | undefined>>): TableAddress | undefined {
  const [, region, table, name = 'bridge', given] = FORM.exec(text) ?? [];
  if (region === undefined || table === undefined) return undefined;
  const endpoint = (given ?? env.AWS_ENDPOINT_URL_DYNAMODB ?? env.AWS_ENDPOINT_URL)?.replace(/\/$/, '');
  return { region, table, name, ...(endpoint && { endpoint }) };
}

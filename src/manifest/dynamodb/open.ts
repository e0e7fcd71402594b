/** Opens a table of DynamoDB. Tests: test/manifest/dynamodb/open.test.ts */
import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { fetchCredentials } from '../../aws/credentials.js';
import { quietSdk } from '../../aws/quiet.js';
import type { Environment } from '../../aws/settings.js';
import type { TableAddress } from './address.js';
import { DynamoRecords } from './records.js';

export interface TableAgents {
  httpAgent: HttpAgent;
  httpsAgent: HttpsAgent;
}

/** @param agents how the service is reached; absent: directly */
export async function openTable(
  { region, table, name, endpoint }: TableAddress,
  env: Environment,
  agents?: TableAgents,
): Promise<DynamoRecords> {
  quietSdk();
  // Loaded only when needed.
  const sdk = await import('@aws-sdk/client-dynamodb');
  const requestHandler = { ...agents, connectionTimeout: 5_000, requestTimeout: 20_000 };
  const credentials = async () => {
    const { expiresMs, ...keys } = await fetchCredentials(undefined, { region, requestHandler }, env);
    return { ...keys, ...(expiresMs !== undefined && { expiration: new Date(expiresMs) }) };
  };
  const client = new sdk.DynamoDBClient({
    ...{ region, credentials, requestHandler },
    ...(endpoint && { endpoint }),
  });
  return new DynamoRecords({ client, sdk, table, region, prefix: `${name}/` });
}

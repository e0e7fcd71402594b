/** A home with AWS files, and servers in place of STS, SSO and the metadata of a machine. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface AwsWorld {
  folder: string;
  /** `POST /path region`, in order of arrival, of every service. */
  asked: string[];
  /** How STS answers; default: with the credentials of a role. */
  sts: (response: ServerResponse) => void;
  close(): Promise<void>;
}

const ROLE_MS = 3_600_000;

export function assumed(id: string): string {
  const until = new Date(Date.now() + ROLE_MS).toISOString();
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${until}</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>`;
}

/** Replaces the AWS part of the process's environment, which the SDK reads, until `close`. */
export async function awsWorld(files: { config?: string; credentials?: string }, env: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'xsync-aws-'));
  const world: AwsWorld = {
    folder,
    asked: [],
    sts: (response) => response.writeHead(200, { 'content-type': 'text/xml' }).end(assumed('ROLE')),
    close: async () => {},
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const region = /Credential=[^/]*\/\d+\/([^/]+)/.exec(request.headers.authorization ?? '')?.[1];
    world.asked.push([request.method, request.url, region].filter(Boolean).join(' '));
    request.resume();
    if (request.url?.startsWith('/latest')) machine(request, response);
    else world.sts(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await mkdir(join(folder, '.aws'));
  if (files.config !== undefined) await writeFile(join(folder, '.aws/config'), files.config);
  if (files.credentials !== undefined) await writeFile(join(folder, '.aws/credentials'), files.credentials);
  const saved = process.env;
  const rest = Object.entries(saved).filter(([name]) => !/^(AWS_|HOME$)|_proxy$/i.test(name));
  process.env = {
    ...Object.fromEntries(rest),
    HOME: folder,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: origin,
    AWS_ENDPOINT_URL_STS: origin,
    ...env,
  };
  world.close = async () => {
    process.env = saved;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  };
  return world;
}

/** A machine that has a role: whoever asks gets its keys. */
function machine(request: IncomingMessage, response: ServerResponse): void {
  const until = new Date(Date.now() + ROLE_MS).toISOString();
  const keys = { Code: 'Success', AccessKeyId: 'MACHINE', SecretAccessKey: 's', Token: 't', Expiration: until };
  const name = request.url?.endsWith('/security-credentials/') ? 'role' : JSON.stringify(keys);
  response.end(request.method === 'PUT' ? 'token' : name);
}

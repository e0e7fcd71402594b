/** The address of an SQS queue. */
import { partitionOf } from '../aws/partition.js';

export interface QueueAddress {
  /** For messages. */
  name: string;
  region: string;
  url: string;
  /** Overrides the service's endpoint, for compatible services. */
  endpoint?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Parses `sqs://region/account/queue[?endpoint=URL]`, or the queue's URL in AWS, including VPC endpoints. Undefined for
 * any other text. AWS_ENDPOINT_URL_SQS sets the endpoint of the first form.
 */
export function queueOf(text: string, env: Environment): QueueAddress | undefined {
  const short = /^sqs:\/\/([a-z0-9-]+)\/(\d{12})\/([\w-]{1,80}(?:\.fifo)?)(?:\?endpoint=(https?:\/\/[^?#]+))?$/.exec(
    text,
  );
  if (short) {
    const [, region = '', account, queue, given] = short;
    const endpoint = (given ?? env.AWS_ENDPOINT_URL_SQS)?.replace(/\/$/, '');
    const url = `${endpoint ?? `https://sqs.${region}.${partitionOf(region).dnsSuffix}`}/${account}/${queue}`;
    return { name: `sqs://${region}/${account}/${queue}`, region, url, ...(endpoint && { endpoint }) };
  }
  const long = /^https:\/\/(?:[\w-]+\.)?sqs(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?([a-z0-9.-]+)\/\d{12}\/[\w.-]+$/.exec(
    text,
  );
  if (long?.[1] !== undefined && partitionOf(long[1]).dnsSuffix !== long[2]) return undefined;
  return long?.[1] === undefined ? undefined : { name: text, region: long[1], url: text };
}

/** Tests: test/feed/sqs.test.ts */
import { partitionOf } from '../aws/partition.js';

/** The address of an SQS queue. */
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
  const region = regionOf(text);
  return region === undefined ? undefined : { name: text, region, url: text };
}

/**
 * The region in a queue's URL: plain, FIPS, dual-stack, or of a VPC endpoint; or of the old form `queue.amazonaws.com`,
 * which stands for us-east-1 (https://docs.aws.amazon.com/general/latest/gr/sqs-service.html, "Legacy endpoints").
 */
function regionOf(text: string): string | undefined {
  const [, old, oldRegion = 'us-east-1'] = OLD_URL.exec(text) ?? [];
  if (old !== undefined) return oldRegion;
  const [, region, suffix] = URL_IN_AWS.exec(text) ?? [];
  if (region === undefined) return undefined;
  const { dnsSuffix, dualStackDnsSuffix } = partitionOf(region);
  return suffix === dnsSuffix || suffix === dualStackDnsSuffix ? region : undefined;
}

const OLD_URL = /^https:\/\/((?:([a-z0-9-]+)\.)?queue\.amazonaws\.com(?:\.cn)?)\/\d{12}\/[\w.-]+$/;
const URL_IN_AWS = /^https:\/\/(?:[\w-]+\.)?sqs(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?([a-z0-9.]+)\/\d{12}\/[\w.-]+$/;

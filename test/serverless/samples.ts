/**
 * The vendors' own sample events, shortened, with other names and numbers.
 * - S3: https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html
 * - EventBridge: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 * - SQS: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 * - API Gateway: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 * - Function URL: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 * - OSS trigger: https://www.alibabacloud.com/help/en/fc/user-guide/overview-of-oss-event-triggers
 * - HTTP trigger: https://www.alibabacloud.com/help/en/functioncompute/user-guide/http-trigger-invoking-function
 */
export const ACCOUNT = '123456789012';

export function s3Event(key: string, { bucket = 'amzn-s3-demo-bucket', name = 'ObjectCreated:Put' } = {}) {
  return {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: 'us-east-2',
        eventTime: '2019-09-03T19:37:27.192Z',
        eventName: name,
        userIdentity: { principalId: 'AWS:AIDAINPONIXQXHT3IKHL2' },
        requestParameters: { sourceIPAddress: '205.255.255.255' },
        responseElements: { 'x-amz-request-id': 'D82B88E5F771F645', 'x-amz-id-2': 'vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQ' },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: '828aa6fc-f7b5-4305-8584-487c791949c1',
          bucket: { name: bucket, ownerIdentity: { principalId: 'A3I5XTEXAMAI3E' }, arn: `arn:aws:s3:::${bucket}` },
          object: {
            key: encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/'),
            size: 1305107,
            eTag: 'b21b84d653bb07b05b1e6b33684dc11b',
            sequencer: '0C0F6F405D6ED209E1',
          },
        },
      },
    ],
  };
}

export function eventBridgeEvent(
  key: string,
  type: 'Object Created' | 'Object Deleted',
  bucket = 'amzn-s3-demo-bucket',
) {
  return {
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': type,
    source: 'aws.s3',
    account: ACCOUNT,
    time: '2021-11-12T00:00:00Z',
    region: 'ca-central-1',
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: { key, size: 5, etag: 'b1946ac92492d2347c6235b4d2611184', sequencer: '617f08299329d189' },
      'request-id': 'N4N7GDK58NMKJ12R',
      requester: ACCOUNT,
      'source-ip-address': '1.2.3.4',
      ...(type === 'Object Created'
        ? { reason: 'PutObject' }
        : { reason: 'DeleteObject', 'deletion-type': 'Permanently Deleted' }),
    },
  };
}

/** One message for each body; objects are written as JSON. */
export function sqsEvent(bodies: readonly (object | string)[]) {
  return {
    Records: bodies.map((body, index) => ({
      messageId: `059f36b4-87a3-44ab-83d2-66197551${index}`,
      receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1545082649183', SenderId: 'AIDAIENQZJOLO23YVJ4VO' },
      messageAttributes: {},
      md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:us-east-2:${ACCOUNT}:my-queue`,
      awsRegion: 'us-east-2',
    })),
  };
}

export function ossEvent(key: string, { bucket = 'oss-demo-bucket', name = 'ObjectCreated:PutObject' } = {}) {
  return {
    events: [
      {
        eventName: name,
        eventSource: 'acs:oss',
        eventTime: '2022-08-13T06:45:43.000Z',
        eventVersion: '1.0',
        oss: {
          bucket: { arn: `acs:oss:cn-beijing:${ACCOUNT}:${bucket}`, name: bucket, ownerIdentity: ACCOUNT },
          object: { deltaSize: 122539, eTag: '688A7BF4F233DC9C88A80BF985AB7329', key, size: 122539 },
          ossSchemaVersion: '1.0',
          ruleId: '9adac8e253828f4f7c0466d941fa3db81161e853',
        },
        region: 'cn-beijing',
        requestParameters: { sourceIPAddress: '140.205.128.221' },
        responseElements: { requestId: '58F9FF2D3DF792092E12044C' },
        userIdentity: { principalId: '262561392693583141' },
      },
    ],
  };
}

export interface Sent {
  path: string;
  body: string;
  authorization?: string;
  base64?: boolean;
}

const bodyOf = ({ body, base64 = false }: Sent) => ({
  body: base64 ? Buffer.from(body).toString('base64') : body,
  isBase64Encoded: base64,
});

export function apiGatewayV1(sent: Sent) {
  const { path, authorization } = sent;
  return {
    version: '1.0',
    resource: '/{proxy+}',
    path,
    httpMethod: 'POST',
    headers: { Authorization: authorization, 'Content-Type': 'application/json' },
    multiValueHeaders: { Authorization: [authorization] },
    queryStringParameters: null,
    requestContext: {
      accountId: ACCOUNT,
      apiId: 'id',
      httpMethod: 'POST',
      identity: { sourceIp: '192.0.2.1', userAgent: 'x' },
      path,
      stage: '$default',
    },
    pathParameters: null,
    stageVariables: null,
    ...bodyOf(sent),
  };
}

export function apiGatewayV2(sent: Sent) {
  const { path, authorization } = sent;
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { authorization, 'content-type': 'application/json' },
    requestContext: {
      accountId: ACCOUNT,
      apiId: 'api-id',
      domainName: 'id.execute-api.us-east-1.amazonaws.com',
      http: { method: 'POST', path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
      requestId: 'id',
      stage: '$default',
      timeEpoch: 1583348638390,
    },
    ...bodyOf(sent),
  };
}

export function functionUrl(sent: Sent) {
  const event = apiGatewayV2(sent);
  return { ...event, requestContext: { ...event.requestContext, domainName: 'urlid.lambda-url.us-west-2.on.aws' } };
}

export function fcHttp(sent: Sent) {
  const { path, authorization } = sent;
  return {
    version: 'v1',
    rawPath: path,
    headers: { Authorization: authorization, 'Content-Type': 'application/json' },
    queryParameters: {},
    requestContext: {
      accountId: ACCOUNT,
      domainName: 'trigger-id.cn-hangzhou.fcapp.run',
      domainPrefix: 'trigger-id',
      http: { method: 'POST', path, protocol: 'HTTP/1.1', sourceIp: '11.11.11.11', userAgent: 'PostmanRuntime/7.32.3' },
      requestId: '1-64f6cd87-1234',
      time: '2023-09-05T06:41:11Z',
      timeEpoch: '1693896071895',
    },
    ...bodyOf(sent),
  };
}

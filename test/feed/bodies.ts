/** Notifications as the services send them, from their own documentation. */

export function s3Record(eventName: string, key: string, object: object = {}): object {
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: 'us-west-2',
    eventTime: '1970-01-01T00:00:00.000Z',
    eventName,
    userIdentity: { principalId: 'AIDAJDPLRKLG7UEXAMPLE' },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: {
      'x-amz-request-id': 'C3D13FE58DE4C810',
      'x-amz-id-2': 'FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S',
    },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'testConfigRule',
      bucket: { name: 'photos', ownerIdentity: { principalId: 'A3NL1KOZZKExample' }, arn: 'arn:aws:s3:::photos' },
      object: { key, ...object },
    },
  };
}

export const s3Put = {
  Records: [
    s3Record('ObjectCreated:Put', 'HappyFace.jpg', {
      size: 1024,
      eTag: 'd41d8cd98f00b204e9800998ecf8427e',
      versionId: '096fKKXTRTtl3on89fVO.nfljtsv6qko',
      sequencer: '0055AED6DCD90281E5',
    }),
  ],
};

export const s3Test = {
  Service: 'Amazon S3',
  Event: 's3:TestEvent',
  Time: '2014-10-13T15:57:02.089Z',
  Bucket: 'photos',
  RequestId: '5582815E1AEA5ADF',
  HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE',
};

export function eventBridge(type: string, object: object): object {
  return {
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': type,
    source: 'aws.s3',
    account: '111122223333',
    time: '2021-11-12T00:00:00Z',
    region: 'ca-central-1',
    resources: ['arn:aws:s3:::photos'],
    detail: {
      version: '0',
      bucket: { name: 'photos' },
      object,
      'request-id': 'N4N7GDK58NMKJ12R',
      requester: '123456789012',
      'source-ip-address': '1.2.3.4',
    },
  };
}

export function sns(message: unknown, more: object = {}): object {
  return {
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: 'arn:aws:sns:us-west-2:123456789012:MyTopic',
    Subject: 'Amazon S3 Notification',
    Message: typeof message === 'string' ? message : JSON.stringify(message),
    Timestamp: '2012-05-02T00:54:06.655Z',
    SignatureVersion: '1',
    ...more,
  };
}

export const subscribeUrl =
  'https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:123456789012:MyTopic&Token=2336412f37';

export function minio(eventName: string, key: string): object {
  return {
    EventName: `s3:${eventName}`,
    Key: `photos/${decodeURIComponent(key)}`,
    Records: [
      {
        ...s3Record(`s3:${eventName}`, key, {
          size: 224662,
          eTag: '5fc7298143efe1276d39a3466d4e255f-1',
          contentType: 'image/jpeg',
          userMetadata: { 'content-type': 'image/jpeg' },
          sequencer: '15CFEDF8D5304D1A',
        }),
        eventSource: 'minio:s3',
        source: { host: '172.16.118.255', port: '', userAgent: 'MinIO (linux; amd64)' },
      },
    ],
  };
}

/** As radosgw 16.2.15 sent it: the key as it is, and a sequencer with the lowest byte first. */
export function ceph(eventName: string, key: string, sequencer: string): object {
  return {
    Records: [
      {
        eventVersion: '2.2',
        eventSource: 'ceph:s3',
        awsRegion: '',
        eventTime: '2026-11-21T01:54:25.328728Z',
        eventName,
        userIdentity: { principalId: 'test' },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: 'x',
          bucket: { name: 'photos', ownerIdentity: { principalId: 'test' }, arn: 'arn:aws:s3:::photos' },
          object: {
            key,
            size: 5,
            eTag: '5d41402abc4b2a76b9719d911017c592',
            versionId: '',
            sequencer,
            metadata: [],
            tags: [],
          },
        },
        eventId: '1795226065.330490.5d41402abc4b2a76b9719d911017c592',
        opaqueData: '',
      },
    ],
  };
}

export function ossEvent(eventName: string, key: string): object {
  return {
    eventName,
    eventSource: 'acs:oss',
    eventTime: '2022-08-13T06:45:43.000Z',
    eventVersion: '1.0',
    oss: {
      bucket: { arn: 'acs:oss:cn-hangzhou:123456789:photos', name: 'photos', ownerIdentity: '164901546557' },
      object: { deltaSize: 122539, eTag: '688A7BF4F233DC9C88A80BF985AB7329', key, size: 122539 },
      ossSchemaVersion: '1.0',
      ruleId: '9adac8e253828f4f7c0466d941fa3db81161e853',
    },
    region: 'cn-hangzhou',
    requestParameters: { sourceIPAddress: '140.205.128.221' },
    responseElements: { requestId: '58F9FF2D3DF792092E12044C' },
    userIdentity: { principalId: '164901546557' },
  };
}

export function ossCloudEvent(type: string, key: string): object {
  return {
    id: 'a5074581-7e74-4e4c-868f-47e7afdf8445',
    source: 'acs.oss',
    specversion: '1.0',
    type: `oss:${type}`,
    subject: `acs:oss:cn-hangzhou:123456789:photos/${key}`,
    time: '2022-08-13T06:45:44Z',
    datacontenttype: 'application/json;charset=utf-8',
    aliyunregionid: 'cn-hangzhou',
    data: ossEvent(type, key),
  };
}

export function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

export function mns(message: string): object {
  return {
    TopicOwner: '123456789',
    TopicName: 'photos',
    Subscriber: '123456789',
    SubscriptionName: 'xsync',
    MessageId: '6CC4D900CA59A2CD-1-15180534A8F-200000001',
    Message: message,
    MessageMD5: 'F1E92841751D795AB325861034B50001',
    PublishTime: '1449556920975',
  };
}

import { describe, expect, it } from 'vitest';
import { regionalOrigin, regionId, regionOfEndpoint, serviceName } from '../../../src/store/oss/endpoint.js';

describe('the region in an endpoint', () => {
  it.each([
    ['oss-cn-hangzhou.aliyuncs.com', 'cn-hangzhou'],
    ['oss-cn-hangzhou-internal.aliyuncs.com', 'cn-hangzhou'],
    ['s3.oss-cn-hangzhou.aliyuncs.com', 'cn-hangzhou'],
    ['s3.oss-cn-hangzhou-internal.aliyuncs.com', 'cn-hangzhou'],
    ['vpc100-oss-cn-beijing.aliyuncs.com', 'cn-beijing'],
    ['cn-hangzhou.oss.aliyuncs.com', 'cn-hangzhou'],
    ['oss-us-east-1.aliyuncs.com', 'us-east-1'],
    ['oss-rg-china-mainland.aliyuncs.com', 'rg-china-mainland'],
    ['oss-cn-hzfinance.aliyuncs.com', 'cn-hangzhou-finance'],
    ['oss-cn-hzfinance-internal.aliyuncs.com', 'cn-hangzhou-finance'],
    ['oss-cn-hzjbp-a-internal.aliyuncs.com', 'cn-hangzhou-finance'],
    ['oss-cn-hzjbp-b-internal.aliyuncs.com', 'cn-hangzhou-finance'],
    ['cn-hangzhou-finance.oss.aliyuncs.com', 'cn-hangzhou-finance'],
    ['oss-cn-shanghai-finance-1-pub.aliyuncs.com', 'cn-shanghai-finance-1'],
    ['oss-cn-shanghai-finance-1-internal.aliyuncs.com', 'cn-shanghai-finance-1'],
    ['oss-cn-shanghai-finance-1-pub-internal.aliyuncs.com', 'cn-shanghai-finance-1'],
    ['cn-shanghai-finance.oss.aliyuncs.com', 'cn-shanghai-finance-1'],
    ['oss-cn-szfinance.aliyuncs.com', 'cn-shenzhen-finance-1'],
    ['oss-cn-beijing-finance-1-pub.aliyuncs.com', 'cn-beijing-finance-1'],
    ['oss-accelerate.aliyuncs.com', undefined],
    ['oss-accelerate-overseas.aliyuncs.com', undefined],
    ['oss.aliyuncs.com', undefined],
    ['img.example.com', undefined],
    ['127.0.0.1:9000', undefined],
  ])('%s: %s', (host, region) => {
    expect(regionOfEndpoint(`https://${host}`)).toBe(region);
  });

  it.each([
    ['mybucket.oss-cn-hangzhou.aliyuncs.com', 'mybucket', 'oss-cn-hangzhou.aliyuncs.com'],
    ['mybucket.oss-cn-hangzhou-internal.aliyuncs.com', 'mybucket', 'oss-cn-hangzhou-internal.aliyuncs.com'],
    ['my-bucket.s3.oss-cn-hangzhou.aliyuncs.com', 'my-bucket', 's3.oss-cn-hangzhou.aliyuncs.com'],
    ['mybucket.cn-hangzhou.oss.aliyuncs.com', 'mybucket', 'cn-hangzhou.oss.aliyuncs.com'],
    ['mybucket.oss-accelerate.aliyuncs.com', 'mybucket', 'oss-accelerate.aliyuncs.com'],
    ['oss-cn-hangzhou.aliyuncs.com', undefined, 'oss-cn-hangzhou.aliyuncs.com'],
  ])('%s has the bucket %s before %s', (host, bucket, rest) => {
    const name = serviceName(`https://${host}`);
    expect([name?.bucket, name?.host]).toEqual([bucket, rest]);
  });
});

describe('the endpoint of a region', () => {
  it.each([
    ['cn-hangzhou', 'oss-cn-hangzhou', 'oss-cn-hangzhou-internal'],
    ['cn-hangzhou-finance', 'oss-cn-hzfinance', 'oss-cn-hzjbp-a-internal'],
    ['cn-hzfinance', 'oss-cn-hzfinance', 'oss-cn-hzfinance-internal'],
    ['cn-shanghai-finance-1', 'oss-cn-shanghai-finance-1-pub', 'oss-cn-shanghai-finance-1-internal'],
    ['cn-shanghai-finance-1-pub', 'oss-cn-shanghai-finance-1-pub', 'oss-cn-shanghai-finance-1-pub-internal'],
    ['cn-shenzhen-finance-1', 'oss-cn-szfinance', 'oss-cn-shenzhen-finance-1-internal'],
    ['cn-beijing-finance-1', 'oss-cn-beijing-finance-1-pub', 'oss-cn-beijing-finance-1-internal'],
    ['rg-china-mainland', 'oss-rg-china-mainland', 'oss-rg-china-mainland'],
  ])('%s: %s, inside %s', (region, publicName, internalName) => {
    expect(regionalOrigin(region, false)).toBe(`https://${publicName}.aliyuncs.com`);
    expect(regionalOrigin(region, true)).toBe(`https://${internalName}.aliyuncs.com`);
  });

  it('signatures name the region ID, however the place is called', () => {
    expect(['cn-hzfinance', 'cn-szfinance', 'cn-shanghai'].map(regionId)).toEqual([
      'cn-hangzhou-finance',
      'cn-shenzhen-finance-1',
      'cn-shanghai',
    ]);
  });
});

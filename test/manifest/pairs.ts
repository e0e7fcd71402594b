import type { PairIdentity } from '../../src/manifest/port.js';

export const GLOBAL_TO_OSS: PairIdentity = {
  source: { kind: 's3', endpoint: 'https://s3.us-east-1.amazonaws.com', bucket: 'photos', prefix: 'raw/' },
  dest: { kind: 'oss', endpoint: 'https://oss-cn-hangzhou.aliyuncs.com', bucket: 'photos-cn', prefix: '' },
};

/** The same names in the other partition. */
export const CHINA_TO_OSS: PairIdentity = {
  ...GLOBAL_TO_OSS,
  source: { ...GLOBAL_TO_OSS.source, endpoint: 'https://s3.cn-north-1.amazonaws.com.cn' },
};

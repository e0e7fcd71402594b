import { Pool as WholePool, buildConnector as wholeConnector } from 'undici';
import { expect, it } from 'vitest';
import { buildConnector, Pool } from '../../../src/store/http/undici.js';

it('finds in undici the same parts that its entry exports: a version that moves them must not reach users', () => {
  expect(Pool).toBe(WholePool);
  expect(buildConnector).toBe(wholeConnector);
  expect(new Pool('http://127.0.0.1:1').dispatch).toBeTypeOf('function');
});

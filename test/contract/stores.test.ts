import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStore } from '../../src/store/local/store.js';
import { MemoryStore } from '../../src/store/memory/store.js';
import { ossBackend } from '../store/oss/backend.js';
import type { Backend } from './context.js';
import { describeStore } from './suite.js';

const TOO_LONG = ['1,025 bytes'] as const;

describeStore('memory', {
  open: async () => ({ store: new MemoryStore(), missing: new MemoryStore({ created: false }) }),
  openVersioned: async () => ({ store: new MemoryStore({ versioning: 'enabled' }) }),
  openLocking: async () => ({ store: new MemoryStore({ versioning: 'enabled' }) }),
  refuses: TOO_LONG,
});

describeStore('memory that lists without order', {
  open: async () => ({ store: new MemoryStore({ unorderedListing: true }) }),
  refuses: TOO_LONG,
});

describeStore('memory that promises little', {
  open: async () => ({
    store: new MemoryStore({
      capabilities: {
        minPartSize: 2000,
        partEtagIsMd5: false,
        answersCrc64ecma: true,
        keepsMtime: true,
        maxCopySize: 0,
      },
    }),
  }),
  refuses: TOO_LONG,
});

const local = (options: { copyLinks?: boolean }): Backend => ({
  open: async () => {
    const root = await mkdtemp(join(tmpdir(), 'xsync-contract-'));
    return {
      store: createLocalStore({ root, ...options }),
      missing: createLocalStore({ root: join(root, '.xsync', 'deep', 'missing'), ...options }),
      dispose: () => rm(root, { recursive: true }),
    };
  },
  refuses: [
    'NUL',
    'leading slash',
    'double slash',
    'dot segments',
    'parent only',
    '1,000 bytes in one segment',
    'reserved on disk',
  ],
});

describeStore('local', local({}));
describeStore('local, following links', local({ copyLinks: true }));

describeStore('oss', ossBackend('lean'));
describeStore('oss (sdk)', ossBackend('sdk'));
describeStore('oss with V1 signatures', ossBackend('lean', { signature_version: 'v1' }));

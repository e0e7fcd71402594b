import { MemoryStore } from '../../src/store/memory/store.js';
import { describeStore } from './suite.js';

describeStore('memory', {
  open: async () => ({ store: new MemoryStore(), missing: new MemoryStore({ created: false }) }),
});

describeStore('memory that lists without order', {
  open: async () => ({ store: new MemoryStore({ unorderedListing: true }) }),
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
});

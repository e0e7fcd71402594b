/** Tests: test/store/registry.test.ts */
import * as z from 'zod';
import type { Backend } from '../backend.js';

const schema = z.strictObject({ type: z.literal('memory') });

export const memoryBackend: Backend<z.output<typeof schema>> = {
  type: 'memory',
  schema,
  async open(_, { remote, bucket }) {
    const { MemoryStore } = await import('./store.js');
    return { store: new MemoryStore({ bucket, endpoint: `memory:${remote}` }) };
  },
};

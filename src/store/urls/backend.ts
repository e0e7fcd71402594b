/** Tests: test/store/urls/store.test.ts */
import * as z from 'zod';
import { XsyncError } from '../../model/error.js';
import type { Backend } from '../backend.js';
import { connectionShape } from '../http/settings.js';

const schema = z.strictObject({
  type: z.literal('urls'),
  ...connectionShape,
});

/** `urls://FILE`: the objects of a list of URLs. */
export const urlsBackend: Backend<z.output<typeof schema>> = {
  type: 'urls',
  schema,
  scheme: 'urls',
  paths: true,
  bucketIn: (location) => location,
  async open(remote, { bucket: file }, resources) {
    const [{ readUrlList }, { SpooledLines }, { UrlStore }, { UrlRequests }, { addressGuard }] = await Promise.all([
      import('./list.js'),
      import('./lines.js'),
      import('./store.js'),
      import('./requests.js'),
      import('../http/address-guard.js'),
    ]);
    const { allowHost = [], allowPrivate = [] } = resources;
    const connection = await resources.connect(remote);
    const transport = await connection.http(addressGuard(allowPrivate));
    const spool = await resources.spool();
    const lines = new SpooledLines(spool, await resources.spool());
    try {
      await readUrlList(file, spool);
    } catch (error) {
      lines.dispose();
      throw error;
    }
    // Not the file: a list with fresh URLs continues what an earlier one began.
    const identity = { kind: 'urls', endpoint: 'urls', bucket: 'urls', account: '' };
    const store = new UrlStore(identity, lines, new UrlRequests(transport, [...allowHost, ...allowPrivate]));
    const refuseUnwritable = async (): Promise<void> => {
      throw new XsyncError('usage', `a list of URLs can only be read`, {
        subject: file,
        remedy: 'Name a bucket or a folder as the destination.',
      });
    };
    return { store, path: '', refuseUnwritable };
  },
};

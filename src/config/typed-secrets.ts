/**
 * Secrets that were typed as part of a location. Everybody on the host can read a command line, and a location is shown
 * in messages, logs, metrics and notifications: one with secrets is refused, and its secrets are not repeated.
 * Tests: test/config/location.test.ts
 */
import { XsyncError } from '../model/error.js';

/** rclone's connection strings: `:backend,option=value:path` and `remote,option=value:path`. Values may hold slashes. */
const CONNECTION_STRING = /^(?::[^,/]*,|[^,/:]+,[a-z]\w*=.*:|[^,/:]+,(?:.*,)?\w*(?:secret|key|token|pass)\w*=)/is;
/** `s3://KEY:SECRET@bucket`, as Hadoop writes it. An ARN has colons, too; a key may have an `@`. */
const WITH_CREDENTIALS = /^([a-z][a-z0-9+.-]*:\/\/)(?!arn:)(?:[^/]*|[^/:]*:[^@]*)@/is;

const REMEDY = 'Put them into the config file with "xsync config add", or into the environment.';
const WHY = 'everybody on this host can read a command line';

/** @throws usage */
export function refuseTypedSecrets(text: string): void {
  if (CONNECTION_STRING.test(text)) {
    throw new XsyncError(
      'usage',
      `"${withoutSecrets(text)}" is a connection string, which xsync does not take: ${WHY}`,
      { remedy: REMEDY.replace('them', 'its settings') },
    );
  }
  if (/^(?:s3|oss):/i.test(text) && WITH_CREDENTIALS.test(text)) {
    throw new XsyncError('usage', `"${withoutSecrets(text)}" has credentials in it: ${WHY}`, { remedy: REMEDY });
  }
}

/** A location for a message: without the options of a connection string, credentials, and the query of a signed URL. */
export function withoutSecrets(text: string): string {
  if (CONNECTION_STRING.test(text)) return `${text.slice(0, text.indexOf(','))},…`;
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  return text.replace(WITH_CREDENTIALS, '$1***@').replace(/\?.*/s, '?…');
}

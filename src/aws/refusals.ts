/** Says in xsync's words why the AWS chain returned no credentials. Tests: test/aws/credentials.test.ts */
import { XsyncError } from '../model/error.js';

/** @param profile the profile that was asked; absent: the machine was */
export function refusalOfChain(cause: unknown, profile: string | undefined): XsyncError {
  const reason = reasonOf(cause);
  if (profile === undefined) {
    // The SDK's last word when no source is there says nothing more.
    const why = /could not load credentials from any providers/i.test(reason) ? '' : because(reason);
    return new XsyncError('bad-credentials', `the AWS credential chain returned no credentials${why}`, {
      remedy: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, log in (aws sso login), or name a profile.',
      cause,
      ...temporary(cause),
    });
  }
  const details = { subject: profile, cause };
  const name = `the AWS profile "${profile}"`;
  if (isEnded(reason)) {
    const remedy = `Log in again: aws sso login --profile ${profile}`;
    return new XsyncError('expired-credentials', `the session of ${name} has ended${because(reason)}`, {
      ...details,
      remedy,
    });
  }
  if (/could not resolve credentials using profile/i.test(reason)) {
    const remedy =
      'Add keys, a role, a credential_process or SSO to it; name no profile to use the role of this machine.';
    return new XsyncError('bad-credentials', `${name} has no complete credentials`, { ...details, remedy });
  }
  return new XsyncError('bad-credentials', `${name} returned no credentials${because(reason)}`, {
    ...details,
    remedy: `Check it with: aws sts get-caller-identity --profile ${profile}`,
    ...temporary(cause),
  });
}

function isEnded(reason: string): boolean {
  return /\bsso\b.*(expired|invalid|aws sso login)|(session|token) (has |is )?expired|aws (sso )?login/i.test(reason);
}

function because(reason: string): string {
  return reason === '' ? '' : `: ${reason}`;
}

/** One line. Of a failed process its own words, without the command, which may contain secrets. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const process = /^Command failed: [^\n]*\n?(.*)$/s.exec(text.trim());
  const own = (process ? `its credential_process failed${process[1] ? `: ${process[1]}` : ''}` : text)
    .replace(/\s+/g, ' ')
    .trim();
  const service = cause instanceof Error && '$fault' in cause && cause.name !== 'Error' ? ` (${cause.name})` : '';
  return `${own.replace(/\.$/, '').slice(0, 300)}${service}`;
}

/** The service or the network failed, not the profile: the same call may succeed later. */
function temporary(cause: unknown): { class?: 'temporary' } {
  if (!(cause instanceof Error)) return {};
  const network = 'code' in cause && typeof cause.code === 'string' && NETWORK.test(cause.code);
  const metadata = '$metadata' in cause && typeof cause.$metadata === 'object' ? cause.$metadata : null;
  const status = metadata && 'httpStatusCode' in metadata ? Number(metadata.httpStatusCode) : 0;
  return network || cause.name === 'TimeoutError' || status === 429 || status >= 500 ? { class: 'temporary' } : {};
}

const NETWORK = /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE)/;

/** RestoreObject, which S3 and OSS have in the same form. Tests: test/engine/pass/archives.test.ts */
import { isXsyncError } from '../../model/error.js';
import type { Restored } from '../port.js';

/** The document. The services name the element of the tier differently. */
export function restoreRequest({ tier, days }: { tier?: string; days?: number }, jobElement: string): string {
  const name = tier && `${tier.charAt(0).toUpperCase()}${tier.slice(1)}`;
  const job = name === undefined ? '' : `<${jobElement}><Tier>${name}</Tier></${jobElement}>`;
  return `<RestoreRequest>${days === undefined ? '' : `<Days>${days}</Days>`}${job}</RestoreRequest>`;
}

/**
 * What the answer means: 202 for a new request, 200 for an object that is readable already.
 * @throws what the request throws, except that a restore is in progress already
 */
export async function restored(answer: Promise<{ status: number }>): Promise<Restored> {
  try {
    return (await answer).status === 200 ? 'readable' : 'requested';
  } catch (error) {
    if (isXsyncError(error) && error.serviceCode === 'RestoreAlreadyInProgress') return 'ongoing';
    throw error;
  }
}

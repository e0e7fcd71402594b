/** Errors of inventories. Tests: test/inventory/manifest.test.ts */
import { XsyncError } from '../model/error.js';

/** @param what completes "the inventory TEXT …" */
export function brokenInventory(text: string, what: string): XsyncError {
  return new XsyncError('config', `the inventory ${text} ${what}`, {
    subject: text,
    remedy: 'Choose another inventory, or leave the option out and the bucket is listed.',
  });
}

/** The base of stores that can only be read. Tests: test/store/urls/store.test.ts */
import type { Tags } from '../../model/attributes.js';
import { XsyncError } from '../../model/error.js';
import type * as port from '../port.js';

/** Every write is refused, and so are the calls that have no meaning for such a store. */
export abstract class SourceOnly {
  abstract readonly identity: port.StoreIdentity;

  async createBucket(): Promise<void> {
    throw this.#lacks();
  }

  async deleteBucket(): Promise<void> {
    throw this.#lacks();
  }

  async restore(): Promise<port.Restored> {
    throw this.#lacks();
  }

  async firstPartSize(): Promise<number | undefined> {
    return undefined;
  }

  async getTags(_key: string): Promise<Tags> {
    throw this.#lacks();
  }

  async putTags(): Promise<void> {
    throw this.#lacks();
  }

  async getAcl(_key: string): Promise<string> {
    throw this.#lacks();
  }

  async putAcl(): Promise<void> {
    throw this.#lacks();
  }

  async putLock(): Promise<void> {
    throw this.#lacks();
  }

  async listUploads(): Promise<port.UploadPage> {
    return { uploads: [] };
  }

  async delete(): Promise<port.DeleteFailure[]> {
    throw this.#lacks();
  }

  async put(): Promise<port.WriteResult> {
    throw this.#lacks();
  }

  async copy(): Promise<port.WriteResult> {
    throw this.#lacks();
  }

  copyableFrom(): boolean {
    return false;
  }

  async createUpload(): Promise<port.UploadRef> {
    throw this.#lacks();
  }

  async uploadPart(): Promise<port.PartResult> {
    throw this.#lacks();
  }

  async uploadPartCopy(): Promise<port.PartResult> {
    throw this.#lacks();
  }

  async listParts(): Promise<port.PartEntry[]> {
    throw this.#lacks();
  }

  async completeUpload(): Promise<port.WriteResult> {
    throw this.#lacks();
  }

  async abortUpload(): Promise<void> {
    throw this.#lacks();
  }

  #lacks(): XsyncError {
    return new XsyncError('unsupported', 'a list of URLs can only be read', {
      subject: this.identity.bucket,
      remedy: 'Name a bucket or a folder instead.',
    });
  }
}

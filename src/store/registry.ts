/** Every backend, in the order in which messages list them. */
import type { Backend } from './backend.js';
import { localBackend } from './local/backend.js';
import { memoryBackend } from './memory/backend.js';
import { ossBackend } from './oss/backend.js';
import { s3Backend } from './s3/backend.js';
import { urlsBackend } from './urls/backend.js';

export const BACKENDS: readonly Backend[] = [s3Backend, ossBackend, localBackend, memoryBackend, urlsBackend];

/** The backend of a location that names neither a remote nor a scheme. */
export const BARE_PATHS: Backend = localBackend;

/** Tests: test/engine/transfer/doubt.test.ts */
import { effectiveMtime, formatMtime, MTIME_METADATA, type ObjectInfo, VERSION_METADATA } from '../../model/object.js';
import type { ObjectStore, PutOptions } from '../../store/port.js';

/**
 * What is sent to the destination besides the bytes: content headers and metadata unchanged, and the source's time,
 * natively if the destination supports that, else in the metadata under rclone's name.
 * @param versionName of a version of a history, for the metadata
 */
export function outgoing(
  info: ObjectInfo,
  dest: Pick<ObjectStore, 'capabilities'>,
  storageClass: string | undefined,
  versionName?: string,
) {
  const { [MTIME_METADATA]: carried, ...others } = info.metadata;
  const rest = versionName === undefined ? others : { ...others, [VERSION_METADATA]: versionName };
  const native = dest.capabilities.keepsMtime;
  return {
    headers: info.headers,
    metadata: native ? rest : { ...rest, [MTIME_METADATA]: carried ?? formatMtime(info.mtimeMs) },
    mtimeMs: native ? effectiveMtime(info) : undefined,
    storageClass,
    ...(versionName !== undefined && { once: true as const }),
  } satisfies PutOptions;
}

import { effectiveMtime, formatMtime, MTIME_METADATA, type ObjectInfo } from '../../model/object.js';
import type { ObjectStore, PutOptions } from '../../store/port.js';

/**
 * What goes to the destination besides the bytes. Content headers and metadata verbatim; the source's time natively
 * where the destination keeps one, else in the metadata under rclone's name.
 */
export function outgoing(info: ObjectInfo, dest: Pick<ObjectStore, 'capabilities'>, storageClass: string | undefined) {
  const { [MTIME_METADATA]: carried, ...rest } = info.metadata;
  const native = dest.capabilities.keepsMtime;
  return {
    headers: info.headers,
    metadata: native ? rest : { ...rest, [MTIME_METADATA]: carried ?? formatMtime(info.mtimeMs) },
    mtimeMs: native ? effectiveMtime(info) : undefined,
    storageClass,
  } satisfies PutOptions;
}

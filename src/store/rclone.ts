/** What rclone's remotes of type `s3` have in common, whichever service they reach. Secrets there are not obscured. */
import type { RcloneSection } from './backend.js';

/** Settings that mean the same here. */
const SAME_TEXT = [
  'region',
  'endpoint',
  'access_key_id',
  'secret_access_key',
  'session_token',
  'profile',
  'storage_class',
];

/** The settings that are given, or why the remote cannot be taken over. */
export function rcloneSettings(section: RcloneSection): Record<string, string> | string {
  const found = SAME_TEXT.map((key) => [key, section.get(key) ?? ''] as const).filter(([, value]) => value !== '');
  const settings: Record<string, string> = Object.fromEntries(found);
  const { access_key_id: id, profile } = settings;
  if (id === undefined && profile === undefined && section.get('env_auth') !== 'true') {
    return 'it has no credentials (rclone then reads public buckets anonymously), and xsync needs some';
  }
  return settings;
}

/**
 * Settings common to all rclone remotes of type `s3`. rclone does not obscure the secrets of this type.
 * Tests: test/config/rclone.test.ts
 */
import type { RcloneSection } from './backend.js';

/** Settings with the same name and meaning in xsync. */
const SAME_TEXT = [
  'region',
  'endpoint',
  'access_key_id',
  'secret_access_key',
  'session_token',
  'profile',
  'storage_class',
];

/** The settings that are set, or why the remote cannot be converted. */
export function rcloneSettings(section: RcloneSection): Record<string, string> | string {
  const found = SAME_TEXT.map((key) => [key, section.get(key) ?? ''] as const).filter(([, value]) => value !== '');
  const settings: Record<string, string> = Object.fromEntries(found);
  const { access_key_id: id, profile } = settings;
  if (id === undefined && profile === undefined && section.get('env_auth') !== 'true') {
    return 'it has no credentials; rclone reads public buckets anonymously, but xsync requires credentials';
  }
  return settings;
}

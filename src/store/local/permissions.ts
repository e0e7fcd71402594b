/** Apart from attributes.ts, so that a configuration is read without it. Tests: test/store/local/attributes.test.ts */

/** Which permissions of files are metadata: `owner` with user and group, `all` with setuid, setgid and sticky bits. */
export const PERMISSIONS = ['none', 'mode', 'owner', 'all'] as const;
export type Permissions = (typeof PERMISSIONS)[number];

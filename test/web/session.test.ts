import { expect, test } from 'vitest';
import { noCookie, SESSION_MS, Sessions } from '../../src/web/session.js';
import { TOKEN } from './support.js';

const sentBack = (cookie: string): string => cookie.split(';')[0] ?? '';

test('a session lasts twelve hours, survives a restart and ends with the token', () => {
  let nowMs = 1_000_000;
  const sessions = new Sessions(TOKEN, () => nowMs);
  const cookie = sessions.cookie(false);
  expect(cookie).toMatch(/^xsync_session=\d+\.[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  expect(cookie).not.toContain(TOKEN);
  expect(sessions.cookie(true)).toMatch(/; Secure$/);
  const value = sentBack(cookie);
  expect([sessions.has(value), sessions.has(`a=b; ${value}; c=d`)]).toEqual([true, true]);
  expect(new Sessions(TOKEN, () => nowMs).has(value)).toBe(true);
  expect(new Sessions(`${TOKEN}x`, () => nowMs).has(value)).toBe(false);
  nowMs += SESSION_MS;
  expect(sessions.has(value)).toBe(false);
  expect(sessions.has(sentBack(noCookie(false)))).toBe(false);
});

test('a session that somebody has written or stretched is none', () => {
  const sessions = new Sessions(TOKEN, () => 1000);
  const [, until = '', signature = ''] = /=(\d+)\.([\w-]+)/.exec(sessions.cookie(false)) ?? [];
  for (const value of [
    `xsync_session=${Number(until) + 1}.${signature}`,
    `xsync_session=${until}.${'A'.repeat(43)}`,
    `xsync_session=${until}.`,
    `xsync_session=999999999999999.${signature}`,
    `other_xsync_session=${until}.${signature}`,
    `xsync_session=${TOKEN}`,
    '',
    undefined,
  ]) {
    expect([value, sessions.has(value)]).toEqual([value, false]);
  }
});

test('who gives wrong tokens waits, others do not, and even the right one is not tried meanwhile', () => {
  let nowMs = 0;
  const sessions = new Sessions(TOKEN, () => nowMs);
  expect(Array.from({ length: 6 }, () => sessions.try('wrong', '10.0.0.1'))).toEqual([
    ...Array(5).fill('wrong'),
    'wait',
  ]);
  expect(sessions.try(TOKEN, '10.0.0.1')).toBe('wait');
  expect(sessions.try(TOKEN, '10.0.0.2')).toBe('right');
  nowMs += 60_000;
  expect(sessions.try(TOKEN, '10.0.0.1')).toBe('right');
  expect(sessions.try('wrong', '10.0.0.1')).toBe('wrong');
});

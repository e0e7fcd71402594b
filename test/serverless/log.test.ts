import { expect, test, vi } from 'vitest';
import { AUDIT, say } from '../../src/serverless/log.js';

test('a JSON object a line', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  say('warn', 'careful', { key: 'a\nb' });
  AUDIT.note({ event: 'taken', id: 'r1' });
  AUDIT.refuse({ event: 'refused', message: 'no', from: '1.2.3.4' });
  const lines = write.mock.calls.map(([text]) => JSON.parse(String(text).replace(/\n$/, '')));
  write.mockRestore();
  expect(lines).toMatchObject([
    { level: 'warn', message: 'careful', key: 'a\nb' },
    { level: 'info', message: 'taken', event: 'taken', id: 'r1' },
    { level: 'warn', message: 'no', event: 'refused', from: '1.2.3.4' },
  ]);
});

/** Judges the result of `accelerate: auto`. Pure. Tests: test/doctor/host.test.ts */
import { type Finding, ok, warn } from './finding.js';

/** @param chosen the choice and its reason: `on: …` or `off: …` */
export function judgeAcceleration(configured: 'auto' | 'on' | 'off', chosen: string): Finding {
  const faster = chosen.startsWith('on');
  const why = chosen.replace(/^o[nf]+: /, '');
  const values = { configured, faster };
  if (!faster && configured === 'on') {
    return warn('acceleration', `on, but no benefit: ${why}`, 'Set accelerate: auto (or off) for this remote.', {
      values,
    });
  }
  if (!faster) return ok('acceleration', `no benefit: ${why}`, values);
  if (configured !== 'off') return ok('acceleration', why, values);
  return ok('acceleration', `would help: ${why} (accelerate: auto; billed per GB)`, values);
}

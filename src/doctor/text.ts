/** Formats numbers for findings. Pure. Tests: test/doctor/host.test.ts */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `4 MiB`, `1.5 GiB`: at most one decimal. */
export function binarySize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(value < 100 ? 1 : 0))} ${UNITS[unit]}`;
}

/** `0.4 ms`, `12 ms`, `1.2 s`. */
export function milliseconds(ms: number): string {
  if (ms >= 999.5) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** The rate of `bytes` per `ms`, as `168 Mbit/s` or `1.2 Gbit/s`. */
export function megabits(bytes: number, ms: number): string {
  const mega = (bytes * 8) / (ms * 1000);
  if (mega >= 999.5) return `${(mega / 1000).toFixed(1)} Gbit/s`;
  return `${mega < 9.95 ? mega.toFixed(1) : Math.round(mega)} Mbit/s`;
}

/** `25 MiB/s (210 Mbit/s)`. */
export function rate(bytes: number, ms: number): string {
  return `${binarySize((bytes / ms) * 1000)}/s (${megabits(bytes, ms)})`;
}

/** `3 s`, `4 min`, `2 h`, `5 days`: rounded, for differences between clocks and dates. */
export function roughly(ms: number): string {
  const seconds = Math.abs(ms) / 1000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** Human-readable numbers. Pure; the same in every locale, so that logs can be compared. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** `0 B`, `1.50 KiB`, `12.3 MiB`, `512 GiB`: binary units, about three significant digits. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would round to four digits: use the next unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) return `${Math.round(value)} B`;
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** `1,234,567`. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 object`, `1,234 objects`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `0.4s`, `12.3s`, `1m02s`, `2h05m`, `3d04h`. Takes milliseconds. */
export function formatDuration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}

/** `USD 12.30`, `USD 0.0042 + CNY 1.20`; a currency with no cost is left out. */
export function formatCosts(costs: readonly { currency: string; amount: number }[]): string {
  const some = costs.filter(({ amount }) => amount > 0);
  const shown = some.length > 0 ? some : costs.slice(0, 1);
  return shown.map(({ currency, amount }) => `${currency} ${amountText(amount)}`).join(' + ');
}

function amountText(amount: number): string {
  if (amount > 0 && amount < 0.00005) return 'under 0.0001';
  const [whole = '', cents = ''] = amount.toFixed(amount < 1 ? 4 : 2).split('.');
  return `${formatCount(Number(whole))}.${cents}`;
}

/** A whole percentage that reaches 100 only when everything is done. */
export function formatPercent(done: number, total: number): string {
  if (total <= 0) return '0%';
  return `${done >= total ? 100 : Math.min(99, Math.floor((done / total) * 100))}%`;
}

/** `name 3 · other 1`, the largest count first; zeros are left out. */
export function formatCounts(counts: Readonly<Record<string, number | undefined>>): string {
  return Object.entries(counts)
    .filter((entry): entry is [string, number] => (entry[1] ?? 0) > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${name} ${formatCount(count)}`)
    .join(' · ');
}

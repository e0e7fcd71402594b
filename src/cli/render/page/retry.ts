/** Retrying from the page: the button, and what became of it. Tests: test/cli/render/page.test.ts */
import type { Retry, Shown } from '../../../web/board.js';
import { keyParameter } from '../../../web/detail.js';
import type { Viewer } from '../../../web/server.js';
import { formatCount, plural } from '../format.js';
import { keyText } from '../printable.js';
import { type Html, html, NOTHING } from '../report-html.js';

/** @param key absent: everything that failed. @param back path of the page that has the button */
export function retryForm(
  { id, mode, retry }: Shown,
  viewer: Viewer,
  { key, back }: { key?: string; back: string },
): Html {
  const isRunning = retry !== undefined && retry.endedMs === undefined;
  if (viewer !== 'retrier' || mode === 'mirror' || isRunning) return NOTHING;
  const name = key === undefined ? `Retry what failed in ${id}` : `Retry ${keyText(key)}`;
  const field = key === undefined ? NOTHING : html`<input type="hidden" name="key" value="${keyParameter(key)}">`;
  const button = `retry-${Buffer.from(`${id}\n${key ?? ''}`).toString('base64url')}`;
  return html`<form method="post" action="/retry"><input type="hidden" name="rule" value="${id}"><input type="hidden" name="back" value="${back}">${field}<button id="${button}" aria-label="${name}">${key === undefined ? 'Retry all' : 'Retry'}</button></form>`;
}

/** `Retried 14:03:21 UTC: 2 copied, 1 failed again`. */
export function retryText({ sinceMs, endedMs, key, copied, failed, rest, error }: Retry): string {
  const what = key === undefined ? '' : ` ${keyText(key)}`;
  const sums = [
    ...(copied > 0 ? [`${formatCount(copied)} copied`] : []),
    ...(failed > 0 ? [`${formatCount(failed)} failed again`] : []),
    ...(rest > 0 ? [`${plural(rest, 'object')} not copied`] : []),
  ].join(', ');
  const at = `${new Date(endedMs ?? sinceMs).toISOString().slice(11, 19)} UTC`;
  if (endedMs === undefined) return `Retrying${what} since ${at}${sums === '' ? '' : `: ${sums}`}`;
  const end =
    error === undefined
      ? [sums || 'nothing was left to copy']
      : [...(sums === '' ? [] : [sums]), `ended early: ${error}`];
  return `Retried${what} ${at}: ${end.join('; ')}`;
}

/** How the page of `serve --web` looks: documents around its parts. Tests: test/web/server.test.ts */
import { hostname } from 'node:os';
import { VERSION } from '../../../version.js';
import type { Parts } from '../../../web/live.js';
import type { Look, Viewer } from '../../../web/server.js';
import { Html, html, NOTHING } from '../report-html.js';
import { boardParts } from './board.js';
import { pairParts } from './pair.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

/** Without scripts the page loads itself again after so many seconds. */
const RELOAD_S = 15;

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 5h9L8 2m6 9H5l3 3' fill='none' stroke='%232468b8' stroke-width='2'/%3E%3C/svg%3E";

export const look: Look = {
  style: STYLE,
  script: SCRIPT,
  board: boardParts,
  pair: pairParts,
  page: ({ title, path, live, parts, viewer }) => document(title, pageBody({ path, live, parts, viewer }), true).text,
  signIn: (back, said) => document('Sign in · xsync', signInBox(back, said)).text,
  notice: (title, text) =>
    document(
      `${title} · xsync`,
      html`<main class="card box"><h1>${title}</h1><p>${text}</p><p><a href="/">Back to the rules</a></p></main>`,
    ).text,
};

function document(title: string, body: Html, isLive = false): Html {
  const reload = html`<noscript><meta http-equiv="refresh" content="${RELOAD_S}"></noscript>`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${title}</title><link rel="icon" href="${ICON}">${isLive ? reload : NOTHING}<style>${new Html(STYLE)}</style></head>
<body>${body}${isLive ? html`<script>${new Html(SCRIPT)}</script>` : NOTHING}</body></html>
`;
}

function pageBody({ path, live, parts, viewer }: { path: string; live: string; parts: Parts; viewer: Viewer }): Html {
  return html`<header><a class="brand" href="/">xsync</a><span class="soft">${hostname()}</span><span class="end small"><span id="link" data-live="${live}" class="soft">as loaded</span>${access(path, viewer)}</span></header>
${new Html(parts.whole.html)}
<footer class="soft small">xsync ${VERSION}. Times are UTC. The figures are those of <span class="key">xsync status</span>.</footer>`;
}

function access(path: string, viewer: Viewer): Html {
  if (viewer === 'anybody') return html`<span class="soft">read-only</span>`;
  if (viewer === 'reader') return html`<a href="/sign-in?back=${encodeURIComponent(path)}">Sign in to retry</a>`;
  return html`<form method="post" action="/sign-out"><button class="plain">Sign out</button></form>`;
}

function signInBox(back: string, said?: string): Html {
  return html`<main class="card box"><h1>Sign in</h1><p class="soft">Reading needs no token. Retrying failed objects does: it is in XSYNC_WEB_TOKEN of the process.</p>
<form method="post" action="/sign-in"><input type="hidden" name="back" value="${back}"><label for="token">Token</label><input id="token" name="token" type="password" autocomplete="current-password" required autofocus${said === undefined ? NOTHING : html` aria-invalid="true" aria-describedby="said"`}>${said === undefined ? NOTHING : html`<p id="said" class="bad" role="alert">${said}</p>`}<button>Sign in</button></form><p><a href="${back}">Back</a></p></main>`;
}

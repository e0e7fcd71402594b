/**
 * The script of the page: puts the parts that have changed into it, and says whether it still hears from the server.
 * Without it the page loads itself again from time to time. Tests: test/e2e/web.test.ts
 */
export const SCRIPT = `
'use strict';
(() => {
  const link = document.getElementById('link');
  const address = link && link.dataset.live;
  if (!address || !window.EventSource) return;
  let source, timer;
  const say = (text, mood) => { link.textContent = text; link.className = mood; };
  const put = ({ id, html }) => {
    const template = document.createElement('template');
    template.innerHTML = html;
    const fresh = template.content.firstElementChild;
    const old = document.getElementById(id);
    if (!fresh || !old || old.isEqualNode(fresh)) return;
    const active = document.activeElement;
    const focused = active && old.contains(active) ? active.id : '';
    const left = [...old.querySelectorAll('.wide')].map((wide) => wide.scrollLeft);
    old.replaceWith(fresh);
    fresh.querySelectorAll('.wide').forEach((wide, index) => { wide.scrollLeft = left[index] || 0; });
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
  const open = () => {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(address);
    source.onopen = () => say('live', 'good');
    source.onmessage = ({ data }) => JSON.parse(data).forEach(put);
    source.onerror = () => {
      say('not connected', 'bad');
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, 10000);
    };
  };
  const close = () => { clearTimeout(timer); source?.close(); };
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
  window.addEventListener('pagehide', close);
  window.addEventListener('pageshow', ({ persisted }) => { if (persisted) open(); });
  if (!document.hidden) open();
})();
`;

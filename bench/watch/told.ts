/** What a watch prints. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Buffers the output until the driver has read it. */
export function listen(child: ChildProcess): { readonly text: string; until(text: string): Promise<void> } {
  let text = '';
  let ended = false;
  child.stdout?.setEncoding('utf8').on('data', (more: string) => {
    // The start has the address, the end has the text that the driver waits for.
    text = text.length < 1_000_000 ? text + more : text.slice(0, 10_000) + text.slice(-10_000) + more;
  });
  child.on('close', () => (ended = true));
  return {
    get text() {
      return text;
    },
    async until(wanted) {
      while (!text.includes(wanted)) {
        if (ended) throw new Error(`the watch has ended: ${text.slice(-2000)}`);
        await sleep(10);
      }
    },
  };
}

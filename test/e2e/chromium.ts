/** A real browser, where there is one. CI requires it. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const EXECUTABLE = process.env.XSYNC_TEST_CHROMIUM ?? '/usr/bin/chromium';

/** There is none, and none is required: tests of the page are reported as skipped. */
export const NO_BROWSER = !existsSync(EXECUTABLE) && process.env.XSYNC_TEST_TOOLS !== 'required';

export function openBrowser(): Promise<Browser> {
  // Its sandbox does not run as root.
  return chromium.launch({ executablePath: EXECUTABLE, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

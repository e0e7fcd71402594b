/** The operating system's sentence of a Node error, without its code, its call and the path that the message has. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^E[A-Z0-9]+: (.+?), \w+(?: '.*')?$/s.exec(message)?.[1] ?? message;
}

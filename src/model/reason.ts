/** The operating system's text of a Node error, without the code, system call and path of the error's message. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^E[A-Z0-9]+: (.+?), \w+(?: '.*')?$/s.exec(message)?.[1] ?? message;
}

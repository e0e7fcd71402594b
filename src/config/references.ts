/**
 * `${NAME}` in a config value refers to an environment variable; `$${` is a literal `${`.
 * Tests: test/config/schema.test.ts
 */

const REFERENCE = /\$(\$\{)|\$\{([^}]*)\}/g;

export type Environment = Readonly<Record<string, string | undefined>>;

/** An invalid reference. The message completes a sentence that starts with a position. */
export class ReferenceFault extends Error {}

/**
 * The value with its references replaced.
 * @throws ReferenceFault for an unset variable and for an invalid name
 */
export function fillReferences(value: string, env: Environment): string {
  return value.replace(REFERENCE, (whole, escaped: string | undefined, name: string) => {
    if (escaped !== undefined) return escaped;
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw new ReferenceFault(`"${whole}" is not an environment variable; write $\${ for a literal "\${"`);
    }
    const found = env[name];
    if (found === undefined) throw new ReferenceFault(`the environment variable ${name} is not set`);
    return found;
  });
}

export function hasReference(value: string): boolean {
  return value
    .replace(REFERENCE, (_, escaped: string | undefined) => (escaped === undefined ? '\0' : ''))
    .includes('\0');
}

/** True when the value consists of references only, and so reveals no secret. */
export function isOnlyReferences(value: string): boolean {
  return value.replace(REFERENCE, (_, escaped: string | undefined) => escaped ?? '') === '';
}

/** Escapes text so that a config value means exactly this text. */
export function escapeReferences(text: string): string {
  // A function, because `$$` in a replacement string means one dollar.
  return text.replaceAll('${', () => '$${');
}

/** `${NAME}` in a config value stands for an environment variable; `$${` for the two characters `${`. */

const REFERENCE = /\$(\$\{)|\$\{([^}]*)\}/g;

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is wrong with a reference, as the end of a sentence that starts with a place. */
export class ReferenceFault extends Error {}

/**
 * The value with its references filled in.
 * @throws ReferenceFault for a variable that is not set and for a name that can be none.
 */
export function fillReferences(value: string, env: Environment): string {
  return value.replace(REFERENCE, (whole, escaped: string | undefined, name: string) => {
    if (escaped !== undefined) return escaped;
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw new ReferenceFault(`"${whole}" is no environment variable; write $\${ for the characters "\${" themselves`);
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

/** True when nothing but references is left: such a value gives no secret away. */
export function isOnlyReferences(value: string): boolean {
  return value.replace(REFERENCE, (_, escaped: string | undefined) => escaped ?? '') === '';
}

/** The text as a config value that stands for exactly this text. */
export function escapeReferences(text: string): string {
  // A function, because `$$` in a replacement text stands for one dollar.
  return text.replaceAll('${', () => '$${');
}

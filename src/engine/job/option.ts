/** What is said of one option of a job. */

interface Described {
  /** As help shows it: `-c, --checksum`, `--part-size <size>`. */
  flags: string;
  /** One line. */
  says: string;
}

/** What a value is in a job. How a person spells it is the command line's affair. */
export type Kind =
  /** A number of bytes. */
  | 'size'
  /** Milliseconds. */
  | 'duration'
  /** Milliseconds, 100 at least: the pause between two rounds of something that never ends. */
  | 'interval'
  /** An instant, in milliseconds since 1970. */
  | 'instant'
  /** A whole number from 1 to 100,000. */
  | 'count'
  /** A number per second. */
  | 'rate'
  /** `{ up, down }` in bytes per second, or a timetable of them. */
  | 'bandwidth'
  /** `{ objects: 100 }` or `{ percent: 25 }`. */
  | 'count-or-percent'
  | 'text';

export type OptionSpec =
  /** On or off; a negated one is on unless its flag, `--no-…`, is given. */
  | (Described & { kind: 'switch' | 'negated' })
  /** Any number of texts, in order. */
  | (Described & { kind: 'list' })
  | (Described & { kind: 'choice'; choices: readonly string[]; default: string })
  /** `shown` is how help spells the default. Sizes and durations with a default can be `off`. */
  | (Described & { kind: Kind; default?: number; shown?: string })
  /**
   * One field of a job, several flags that exclude each other. `says` ends the remedy "choose one …"; a complaint names
   * the flags in `order`, where it is not that of help.
   */
  | {
      kind: 'one-of';
      says: string;
      default: string;
      choices: Readonly<Record<string, Described>>;
      order?: readonly string[];
    };

export type OptionTable = Readonly<Record<string, OptionSpec>>;

/**
 * Reads INI files of other tools: `[section]` and `key = value` lines, and comments that start with `#` or `;`.
 * Tests: test/store/oss/profiles.test.ts
 */
import { XsyncError } from '../model/error.js';

export interface IniSection {
  name: string;
  values: Map<string, string>;
}

/**
 * @param kind what a section is, for messages: `remote`, `profile`
 * @throws config: for a line that is neither. The message names its position and never quotes it.
 */
export function parseIni(text: string, file: string, kind: string): IniSection[] {
  const sections: IniSection[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === '' || /^[#;]/.test(line)) continue;
    const heading = /^\[(.+)\]$/.exec(line);
    const setting = /^([^=]+?)\s*=\s*(.*)$/.exec(line);
    const current = sections.at(-1);
    if (heading) sections.push({ name: heading[1] ?? '', values: new Map() });
    else if (setting && current) current.values.set(setting[1] ?? '', setting[2] ?? '');
    else {
      const reason = setting ? `a setting before the first [${kind}]` : `neither [${kind}] nor key = value`;
      throw new XsyncError('config', `${file}:${index + 1}: ${reason}`, { subject: file });
    }
  }
  return sections;
}

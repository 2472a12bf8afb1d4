// Configuration files as Python's configparser reads them: sections, `key = value`, values that go on in lines that
// are indented. Passwords stand in these files: who reads them keeps what it knows by name.

import { linesOf } from './reading.ts';

export interface IniValue {
  readonly line: number;
  readonly text: string;
}

export interface IniSection {
  readonly name: string;
  readonly line: number;
  /** Keys in lower case. */
  readonly values: ReadonlyMap<string, IniValue>;
}

export function sectionsOf(text: string): readonly IniSection[] {
  const sections: { name: string; line: number; values: Map<string, IniValue> }[] = [];
  let open: string | null = null;
  for (const [line, raw] of linesOf(text)) {
    if (/^\s*(?:[#;]|$)/.test(raw)) continue;
    const section = sections.at(-1);
    const name = /^\[(.+?)\]/.exec(raw)?.[1];
    const before = open === null ? undefined : section?.values.get(open);
    if (name !== undefined) {
      sections.push({ name: name.trim(), line, values: new Map() });
      open = null;
    } else if (/^\s/.test(raw) && open !== null && before !== undefined) {
      section?.values.set(open, { ...before, text: `${before.text} ${raw.trim()}`.trim() });
    } else {
      const [, key, value = ''] = /^\s*([^=:\s][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(raw) ?? [];
      open = key?.toLowerCase() ?? null;
      if (open !== null) section?.values.set(open, { line, text: value });
    }
  }
  return sections;
}

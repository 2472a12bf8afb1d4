// Problems of a configuration: where each stands, what is wrong, what to do, and how a person is shown it.
// All text in them may come from a file somebody else wrote, so showing escapes what moves a terminal.

import { escapeText } from '../trust/escape.ts';
import type { ConfigProblem } from '../config.ts';

/** What a part of the checking found: what is wrong, and what is only to be told. */
export interface Findings {
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

/** A path into the configuration: `['routes', 0, 'upstream']`. */
export type Path = readonly (string | number)[];

/** Where a value was written. */
export type Place = Pick<ConfigProblem, 'source' | 'line' | 'column' | 'excerpt'>;

export const nowhere = (source: string): Place => ({ source, line: null, column: null, excerpt: null });

/** No password comes out of here, whoever quoted what was written. */
export const problemAt = (
  place: Place,
  message: string,
  suggestion: string | null = null,
): ConfigProblem => ({
  source: place.source,
  line: place.line,
  column: place.column,
  message: maskCredentials(message),
  suggestion: suggestion === null ? null : maskCredentials(suggestion),
  excerpt: place.excerpt,
});

/** `file:3:5`, `environment` or `command line`. */
export const placeName = (place: Pick<ConfigProblem, 'source' | 'line' | 'column'>): string =>
  place.line === null ? place.source : `${place.source}:${place.line}:${place.column ?? 1}`;

/** `routes[0].limits.dialSeconds`; the empty path is the whole configuration. */
export const pathName = (path: Path): string =>
  path.length === 0 ? 'the configuration' : path.map((step, index) => stepName(step, index)).join('');

function stepName(step: string | number, index: number): string {
  if (typeof step === 'number') return `[${step}]`;
  return `${index === 0 ? '' : '.'}${shortened(maskCredentials(step))}`;
}

/** What is cut off must have been masked before: what marks a password as one may stand behind the cut. */
export const shortened = (masked: string): string =>
  masked.length > 80 ? `${masked.slice(0, 80)}…` : masked;

/** The problem as a person reads it: place and message, the line with a caret, and the way out. */
export function renderProblem(problem: ConfigProblem): string {
  const lines = [`${printable(placeName(problem))}: ${printable(problem.message)}`];
  if (problem.excerpt !== null && problem.column !== null)
    lines.push(...caretLines(problem.excerpt, problem.column));
  if (problem.suggestion !== null) lines.push(`    hint: ${printable(problem.suggestion)}`);
  return lines.join('\n');
}

/** A tab is one column, as editors count them. */
const printable = (text: string): string => escapeText(text.replaceAll('\t', ' '));

/** At most 100 characters of the line around the caret. */
function caretLines(excerpt: string, column: number): readonly string[] {
  const start = Math.max(0, column - 60);
  const shown = excerpt.slice(start, start + 100);
  const before = printable(shown.slice(0, column - 1 - start));
  return [`    ${before}${printable(shown.slice(column - 1 - start))}`, `    ${' '.repeat(before.length)}^`];
}

const starred = (_: string, before: string, secret: string): string => before + '*'.repeat(secret.length);

/** Longer than any sentence, and than any line somebody wrote by hand: there is no looking for passwords in it. */
export const longestLooked = 4096;

/** All of it stands before the last @ of a line: where there is none, and behind it, is nothing to look for. */
const maskUrls = (line: string): string => {
  const end = line.lastIndexOf('@') + 1;
  if (end === 0) return line;
  const masked = line
    .slice(0, end)
    .replace(/((?:\bproxy\b.*?|socks\w*|https?):\\?\/\\?\/)(.*)(?=@)/gi, starred)
    // Where a colon stands before the @, blanks are of user name and password; else they end the URL.
    .replace(/(:\\?\/\\?\/)(.*:.*|\S*)(?=@)/g, starred)
    // What holds :// is masked already.
    .replace(/((?:^|\s)["'[{(]*)(?!\S*:\\?\/\\?\/)(\S*:\S*)(?=@)/g, starred);
  return masked + line.slice(end);
};

/**
 * User name and password of a URL, and the value of a key named password, starred out at their length: problems are
 * logged. In the URL of a proxy all up to the last @ is secret, blanks too: an unencoded password may hold any. A URL that
 * is misspelt has a password as well: what has a colon and ends in @ is taken for one. What is too long is starred out whole.
 */
export const maskCredentials = (text: string): string =>
  text.length > longestLooked
    ? '*'.repeat(text.length)
    : text
        .split('\n')
        .map(maskUrls)
        .join('\n')
        .replace(/(\bpassword["']?\s*:\s*)(\S.*)/gi, starred)
        .replace(/(\bwhsec_)([\w+/=-]+)/gi, starred);

const behindProxyKeys =
  /((?:\bproxy\b["']?\s*[:=]\s*["'[{]*\s*)?(?:\b(?:proxy|url)\b["']?\s*[:=]\s*["'[]*)(?:[a-z][a-z0-9]*:\\?\/\\?\/)?)(\S.*)(?=@)/gi;

/** The path of a receiver's URL, and what looks like the secret for it. */
const behindHookKeys = [
  /(\bwebhook\w*["']?\s*:\s*["']?[a-z]+:\/\/[^/?#\s]*[/?#])([^\s,}]+)/gi,
  /(\bsecret(?!file)\w*["']?\s*:\s*)(\S.*)/gi,
] as const;

/**
 * The same for a line of a file, where behind the keys of a proxy all up to the last @ is secret, whatever it looks like,
 * and so is what a webhook is reached and signed by.
 */
export const maskLine = (line: string): string =>
  behindHookKeys.reduce(
    (masked, pattern) => masked.replace(pattern, starred),
    maskCredentials(line.replace(behindProxyKeys, starred)),
  );

/** Keys of hooks whose values may be shown to anybody. */
const openHookKeys: ReadonlySet<unknown> = new Set([
  'name',
  'on',
  'exec',
  'caFile',
  'pins',
  'secretFile',
  'timeoutSeconds',
  'retries',
  'repeatMinutes',
]);

/**
 * Among hooks a line is quoted only where every key in it is known to hold no secret: a misspelt one may hold what should
 * stand under the right one.
 */
export function veiled(path: Path, place: Place): Place {
  if (path[0] !== 'hooks' || path.length < 2 || place.excerpt === null) return place;
  const keys = [...place.excerpt.matchAll(/([^\s{[,'"]+)["']?\s*:(?=\s|$)/g)].map(([, key]) => key);
  const last = path.findLast((step) => typeof step === 'string');
  const isOpen = keys.every((key) => openHookKeys.has(key)) && (path.length === 2 || openHookKeys.has(last));
  return isOpen ? place : { ...place, excerpt: null };
}

/** File order, then the environment and the command line; each problem once. */
export function sortProblems(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const seen = new Map(problems.map((problem) => [`${placeName(problem)} ${problem.message}`, problem]));
  return [...seen.values()].toSorted(
    (one, other) =>
      Number(one.line === null) - Number(other.line === null) ||
      (one.line ?? 0) - (other.line ?? 0) ||
      (one.column ?? 0) - (other.column ?? 0),
  );
}

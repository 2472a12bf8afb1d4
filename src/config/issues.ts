// Turns what the schema finds into problems a person can act on: in our words, at the place it was written,
// one for each wrong thing. The validator's own sentences are never shown.

import type * as z from 'zod/mini';
import type { ConfigProblem } from '../config.ts';
import { nearest } from './nearest.ts';
import { isMapping, valueAt } from './plain.ts';
import { maskCredentials, pathName, problemAt, shortened } from './problem.ts';
import type { Path, Place } from './problem.ts';
import { keysAt } from './schema-keys.ts';

type Issue = z.core.$ZodIssue;

/** Where values and keys stand; files, environment and flags together. */
export interface Places {
  locate(path: Path): Place;
  locateKey(path: Path): Place;
}

/** @param value what was validated, to name what stands there instead */
export function problemsOf(
  issues: readonly Issue[],
  value: unknown,
  places: Places,
): readonly ConfigProblem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, value, places));
}

function problemsOfIssue(issue: Issue, value: unknown, places: Places): readonly ConfigProblem[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], places));
  if (issue.code === 'invalid_union') {
    const inner = innerIssues(issue);
    if (inner !== null) {
      return problemsOf(
        inner.map((one) => ({ ...one, path: [...issue.path, ...one.path] })),
        value,
        places,
      );
    }
  }
  const written = valueAt(value, path);
  // Whatever form it has, it is not shown.
  const found = path.at(-1) === 'secret' && written !== undefined ? '***' : written;
  const { message, suggestion } = sentenceOf(issue, path, found);
  return [problemAt(places.locate(path), message, suggestion)];
}

/** Of a union, the branch that fits the form of what was written, when there is one. */
function innerIssues(issue: z.core.$ZodIssueInvalidUnion): readonly Issue[] | null {
  const fitting = issue.errors.find((branch) => branch.every(isOfForm));
  return fitting === undefined || fitting.length === 0 ? null : fitting;
}

/** Whether the form was right and only what it holds is wrong. One word alone beside other forms is none of them. */
function isOfForm(issue: Issue): boolean {
  if (issue.path.length > 0) return true;
  return issue.code === 'invalid_value' ? issue.values.length > 1 : issue.code !== 'invalid_type';
}

function unknownKey(path: Path, places: Places): ConfigProblem {
  const key = String(path.at(-1));
  const known = keysAt(path.slice(0, -1));
  const near = nearest(key, known);
  const where = path.length === 1 ? '' : ` in ${pathName(path.slice(0, -1))}`;
  const suggestion = near === null ? `known keys here: ${known.join(', ')}` : `did you mean ${near}?`;
  return problemAt(places.locateKey(path), `unknown key ${shown(key)}${where}`, suggestion);
}

interface Sentence {
  readonly message: string;
  readonly suggestion: string | null;
}

function sentenceOf(issue: Issue, path: Path, found: unknown): Sentence {
  const name = pathName(path);
  switch (issue.code) {
    case 'invalid_type':
      return found === undefined
        ? { message: `${name} is missing`, suggestion: missingHint(path) }
        : {
            message: `${name} must be ${typeNames[issue.expected] ?? issue.expected}, not ${shown(found)}`,
            suggestion: typeHint(issue.expected, found),
          };
    case 'invalid_value':
      return oneOf(name, issue.values.map(String), found);
    case 'too_small':
      return {
        message: `${name} must be ${bound('at least', issue.minimum, issue.origin)}, not ${shown(found)}`,
        suggestion: null,
      };
    case 'too_big':
      return {
        message: `${name} must be ${bound('at most', issue.maximum, issue.origin)}, not ${shown(found)}`,
        suggestion: null,
      };
    case 'custom':
      return { message: `${name}: ${issue.message}`, suggestion: suggestionOf(issue.params) };
    case 'invalid_union':
      return { message: `${name} ${issue.message}, not ${shown(found)}`, suggestion: portHint(path, found) };
    case 'invalid_format':
      return { message: `${name} ${issue.message}, not ${shown(found)}`, suggestion: null };
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
      return { message: `${name} is not valid`, suggestion: null };
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a mapping (key: value)',
  array: 'a list',
};

function oneOf(name: string, allowed: readonly string[], found: unknown): Sentence {
  const near = typeof found === 'string' ? nearest(found, allowed) : null;
  const list = allowed.length === 1 ? (allowed[0] ?? '') : `one of ${allowed.join(', ')}`;
  return {
    message: `${name} must be ${list}, not ${shown(found)}`,
    suggestion: near === null ? null : `did you mean ${near}?`,
  };
}

const bound = (words: string, limit: number | bigint, origin: string): string =>
  origin === 'string'
    ? 'more than nothing'
    : origin === 'array'
      ? `${words} ${limit} long`
      : `${words} ${limit}`;

const missingHint = (path: Path): string | null =>
  path.at(-1) === 'upstream' ? 'add upstream: SCHEME://HOST, like imaps://imap.example.org' : null;

function typeHint(expected: string, found: unknown): string | null {
  if (expected === 'array' && (typeof found === 'string' || isMapping(found)))
    return 'begin each entry with - on a line of its own';
  if (expected === 'string' && typeof found === 'number') return `write it in quotes: "${found}"`;
  return null;
}

const portHint = (path: Path, found: unknown): string | null =>
  path.includes('listen') && typeof found === 'number' ? `write localhost:${found}` : null;

const suggestionOf = (params: Readonly<Record<string, unknown>> | undefined): string | null => {
  const suggestion = params?.['suggestion'];
  return typeof suggestion === 'string' ? suggestion : null;
};

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isMapping(value)) return 'a mapping';
  if (value === undefined || value === null) return 'nothing';
  return shortened(maskCredentials(JSON.stringify(value)));
}

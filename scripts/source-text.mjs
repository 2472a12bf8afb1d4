// Reads source text well enough for the rules: blanks comments and the insides of strings, keeps every
// line and column where it was, and lists what a file imports. It must never guess code out of a comment.

const beforeRegex =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|yield|await|void|delete|throw))\s*$/;

/** The same text with comments (and, unless kept, the insides of strings) replaced by spaces. */
export function blank(text, { keepStrings }) {
  const out = [...text];
  const hide = (from, to) => {
    for (let at = from; at < to; at++) if (out[at] !== '\n') out[at] = ' ';
  };
  // A stack entry is the number of braces open inside one `${`.
  const templates = [];
  const chars = [...text];
  let at = 0;
  while (at < chars.length) {
    const end = span(chars, at, templates);
    if (end.kind === 'comment' || (end.kind === 'string' && !keepStrings)) hide(end.from, end.to);
    at = end.next;
  }
  return out.join('');
}

/** What starts at `at`: where it ends, and which part of it is not code. */
function span(chars, at, templates) {
  const two = chars[at] + (chars[at + 1] ?? '');
  if (two === '//') return whole('comment', at, indexOf(chars, '\n', at));
  if (two === '/*') return whole('comment', at, indexOf(chars, '*/', at + 2) + 2);
  if (chars[at] === "'" || chars[at] === '"')
    return inside(at + 1, quoteEnd(chars, at + 1, [chars[at], '\n']));
  if (chars[at] === '`') return template(chars, at + 1, templates);
  if (templates.length > 0 && chars[at] === '{') templates[templates.length - 1]++;
  if (templates.length > 0 && chars[at] === '}' && templates[templates.length - 1]-- === 0) {
    templates.pop();
    return template(chars, at + 1, templates);
  }
  if (chars[at] === '/' && beforeRegex.test(chars.slice(Math.max(0, at - 40), at).join(''))) {
    return inside(at + 1, regexEnd(chars, at + 1));
  }
  return { kind: 'code', from: at, to: at + 1, next: at + 1 };
}

const whole = (kind, from, to) => ({ kind, from, to, next: to });
const inside = (from, to) => ({ kind: 'string', from, to, next: to + 1 });

function template(chars, from, templates) {
  let at = from;
  for (; at < chars.length && chars[at] !== '`'; at++) {
    if (chars[at] === '\\') at++;
    else if (chars[at] === '$' && chars[at + 1] === '{') {
      templates.push(0);
      return { kind: 'string', from, to: at, next: at + 2 };
    }
  }
  return inside(from, at);
}

function quoteEnd(chars, from, ends) {
  let at = from;
  for (; at < chars.length && !ends.includes(chars[at]); at++) if (chars[at] === '\\') at++;
  return Math.min(at, chars.length);
}

function regexEnd(chars, from) {
  let group = false;
  let at = from;
  for (; at < chars.length && chars[at] !== '\n' && (group || chars[at] !== '/'); at++) {
    if (chars[at] === '\\') at++;
    else if (chars[at] === '[') group = true;
    else if (chars[at] === ']') group = false;
  }
  return at;
}

function indexOf(chars, what, from) {
  for (let at = from; at < chars.length; at++) {
    if (what.split('').every((char, index) => chars[at + index] === char)) return at;
  }
  return chars.length;
}

const importing =
  /\b(?:import|export)\b(?:[^'"`;()]*?\bfrom)?\s*(['"])([^'"\n]+)\1|\bimport\s*\(\s*(['"`])([^'"`\n]+)\3/g;

/** Everything a file imports or re-exports, static and lazy: `{ specifier, line }`. */
export function imports(text) {
  const code = blank(text, { keepStrings: true });
  return [...code.matchAll(importing)].map((found) => ({
    specifier: found[2] ?? found[4],
    line: lineAt(code, found.index),
  }));
}

/** 1-based line of a position. */
export function lineAt(text, index) {
  return text.slice(0, index).split('\n').length;
}

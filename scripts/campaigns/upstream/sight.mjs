// What can be seen of any proxy: did a password leave it for somebody whose key it did not verify, did a mark of a server
// reach its client before that, did its client wait for nothing. Of letterlock more is asked: oracle.mjs.

/** Certificates that a proxy which trusts the campaign's CA may take for the server's. */
export const vouched = new Set(['good', 'other', 'double', 'below']);

const holds = (bytes, words) => {
  const text = bytes.toString('latin1').toLowerCase();
  return words.some((word) => text.includes(word.toLowerCase()));
};

/** `{leaked, relayed, hung}` of a stage that was played. */
export function look({ script, visits, talks, secret, marks }) {
  // Where somebody is to be served whose key is known, he is no stranger.
  const known = script.ends.includes('accept');
  const strangers = talks.filter(({ shown }) => !known && !vouched.has(shown));
  const leaked =
    talks.some((talk) => holds(talk.clear, secret.forms)) ||
    strangers.some((talk) => holds(talk.inside, secret.forms));
  const heard = Buffer.concat(visits.map((one) => one.heard));
  const relayed =
    holds(heard, [marks.clear]) ||
    (talks.length > 0 && strangers.length === talks.length && holds(heard, [marks.inside]));
  return { leaked, relayed, hung: visits.some(({ end }) => end === 'late') };
}

export { holds };

// A campaign on a machine that does much else: what was only late is tried once more. What was trusted, sent, said or lost counts at once.

/** What says only that nothing came in its time; all else a campaign finds is no matter of time. */
const ofTime =
  /(?:\b(?:late|no answer|not answered|not served|waited|stuck|did not end)\b|(?:told|served|elsewhere:.*) after \d+ ms|memory grew|the flood came to)/;

/**
 * The outcome of `run`, a function that resolves with `{findings}`; of its second time where all it found may be the machine's
 * fault, each of which `once` is told. Not a second time when `signal` is aborted.
 */
export async function settled(run, { signal, once }) {
  const first = await run();
  const mayBeSlow = first.findings.length > 0 && first.findings.every((finding) => ofTime.test(finding));
  if (!mayBeSlow || signal.aborted) return first;
  for (const finding of first.findings) once(finding);
  return run();
}

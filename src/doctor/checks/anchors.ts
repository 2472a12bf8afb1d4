// The trust anchors: are there any, where do they come from, how old are they? Without them no server is CA-verified,
// and no first use is accepted under auto.

import { finding, type Finding } from '../finding.ts';

export interface AnchorSource {
  /** As configured: `system`, or paths. */
  readonly sources: readonly string[];
  readonly counts: Readonly<Record<'system' | 'bundled' | 'file', number>>;
  /** Files that were read, with the time of their last change. */
  readonly files: readonly { readonly path: string; readonly changedAt: number }[];
  /** Why they cannot be used; null where they can. */
  readonly error: string | null;
}

export interface AnchorFacts {
  readonly sets: readonly AnchorSource[];
  readonly node: string;
  readonly now: number;
}

const yearMs = 365.25 * 86_400_000;

export const checkAnchors = ({ sets, node, now }: AnchorFacts): readonly Finding[] =>
  sets.map((set) => anchorFinding(set, { node, now }));

function anchorFinding(
  set: AnchorSource,
  { node, now }: { readonly node: string; readonly now: number },
): Finding {
  const { counts, error, files } = set;
  const total = counts.system + counts.bundled + counts.file;
  if (error !== null)
    return finding('anchors', 'fault', {
      message: error,
      meaning: 'letterlock does not start with a CA file that it cannot use.',
      advice: 'Correct caFile: in the configuration, or the file.',
    });
  if (total === 0)
    return finding('anchors', 'fault', {
      message: 'there is not one trust anchor',
      meaning:
        'No server can be CA-verified, and under auto and ca+tofu no key is accepted for the first time.',
      advice: 'Install the package ca-certificates, or name a CA with caFile:.',
    });
  if (counts.bundled > 0)
    return finding('anchors', 'warning', {
      message: `this system has no CA bundle: the ${counts.bundled} roots that came with Node ${node} are used`,
      meaning: 'They change with Node alone: a CA that lost its trust since stays trusted.',
      advice: 'Install the package ca-certificates.',
    });
  return found(set, { total, files, now });
}

function found(
  { sources }: AnchorSource,
  {
    total,
    files,
    now,
  }: { readonly total: number; readonly files: AnchorSource['files']; readonly now: number },
): Finding {
  const from = files.length === 0 ? sources.join(', ') : files.map(({ path }) => path).join(', ');
  const message = `${total} trust ${total === 1 ? 'anchor' : 'anchors'} from ${from}`;
  const system = sources.includes('system') ? files[0] : undefined;
  const years = system === undefined ? 0 : (now - system.changedAt) / yearMs;
  if (years < 2) return finding('anchors', 'ok', { message });
  return finding('anchors', 'warning', {
    message: `${message}, which did not change for ${Math.floor(years)} years`,
    meaning: 'CAs come and go: new servers are not CA-verified, and CAs that lost their trust still count.',
    advice: 'Update the system, the package ca-certificates at least.',
  });
}

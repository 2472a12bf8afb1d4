// What is wrong along a path, apart from dates and names: rights of the issuers (RFC 5280 section 6.1.4),
// strength, form, names, and where the path ends. An anchor is trusted by decision of the operator: who signed it
// does not count, nor an encoding that only we do not read.

import type { AnchorIndex } from './anchor-index.ts';
import { type BoundName, mailbox } from './bound-name.ts';
import type { Fault } from './fault.ts';
import { type Bond, keepTo } from './name-constraints.ts';
import { isOldRoot } from './old-roots.ts';
import { interceptorOf } from './interceptor.ts';
import { isSelfSigned, type ParsedCertificate } from './parsed-certificate.ts';
import type { Path } from './path.ts';
import { profileFaults } from './profile.ts';
import {
  anywhereFaults,
  lacksCaRights,
  lacksServerUsage,
  leafFaults,
  vouchedForFaults,
} from './single-faults.ts';

const isSelfIssued = ({ issuer, subject }: ParsedCertificate): boolean => issuer.key === subject.key;

/** Faults of the certificate at `at` (1 or higher) as an issuer, whoever trusts it. */
const issuerFaults = ({ links, anchored }: Path, at: number): readonly Fault[] => {
  const issuer = links[at];
  if (issuer === undefined) return [];
  const found: Fault[] = [];
  const anchor = anchored && at === links.length - 1;
  // RFC 5280 section 6.1.4 (k): version 1 cannot say that it is a CA; the operator said it for an anchor.
  const oldAnchor = anchor && issuer.version !== null && issuer.version < 3;
  if (lacksCaRights(issuer) && !oldAnchor) found.push('not-a-ca');
  if (lacksServerUsage(issuer)) found.push('wrong-purpose');
  const between = links.slice(1, at).filter((link) => !isSelfIssued(link)).length;
  if (between > (issuer.extensions.basicConstraints?.pathLength ?? Infinity)) found.push('path-too-long');
  if (anchor) return [...found, ...anywhereFaults(issuer).filter((fault) => fault !== 'malformed')];
  return [...found, ...anywhereFaults(issuer), ...(isSelfSigned(issuer) ? [] : vouchedForFaults(issuer))];
};

const constrainedNames = ({ subject, extensions }: ParsedCertificate): readonly BoundName[] => [
  ...extensions.boundNames,
  ...(subject.parts.length === 0 ? [] : [{ form: 'directory', parts: subject.parts } as const]),
  ...subject.attributes.flatMap(({ type, value }) => (type === 'emailAddress' ? [mailbox(value)] : [])),
];

/** RFC 5280 section 6.1.3 (b), (c): every certificate below the issuer at `at`, but for CAs that renewed themselves. */
const bondsTo = (links: Path['links'], at: number): readonly Bond[] => {
  const constraints = links[at]?.extensions.nameConstraints ?? null;
  if (constraints === null || constraints === 'unreadable') return [];
  const bound = links.slice(0, at).filter((link, place) => place === 0 || !isSelfIssued(link));
  return bound.map((link) => ({ names: constrainedNames(link), constraints }));
};

const constraintFaults = ({ links }: Path): readonly Fault[] => {
  const unreadable = links.some(
    ({ extensions: { nameConstraints } }, at) => at > 0 && nameConstraints === 'unreadable',
  );
  const kept = !unreadable && keepTo(links.flatMap((_, at) => bondsTo(links, at)));
  return kept ? [] : ['name-constraint'];
};

/**
 * Form along the path. The operator's own choice has none to keep: a server's certificate that is an anchor itself,
 * and a root that is not one and whose certificate says nothing that counts.
 */
const formFaults = ({ links, anchored }: Path): readonly Fault[] =>
  links.flatMap((link, at) => {
    const anchor = anchored && at === links.length - 1;
    const exempt = at === 0 ? anchor || isSelfSigned(link) : anchor ? isOldRoot(link.id) : isSelfSigned(link);
    return exempt ? [] : profileFaults(link);
  });

/**
 * How a path that reaches no anchor is named. That intermediates are missing shows only where the last certificate
 * says that there are some: it names a source of its issuer's certificate (AIA caIssuers) and no CA certificate of
 * that chain was sent, or the issuer of its issuer is an anchor. All else is an issuer unknown here; so is one
 * whose name is known but whose key did not make the signature.
 */
const endFault = (
  links: readonly ParsedCertificate[],
  known: { readonly presented: readonly ParsedCertificate[]; readonly anchors: AnchorIndex },
): Fault => {
  const last = links.at(-1);
  if (last === undefined || isSelfSigned(last)) return links.length === 1 ? 'self-signed' : 'unknown-issuer';
  const issuer = last.issuer.key;
  if (known.anchors.knows(issuer) || known.presented.some(({ subject }) => subject.key === issuer))
    return 'unknown-issuer';
  const { authorityKey, namesIssuerSource } = last.extensions;
  const above = authorityKey?.issuer ?? null;
  const belowAnchor = above !== null && known.anchors.knows(above);
  return belowAnchor || (namesIssuerSource && links.length === 1) ? 'incomplete-chain' : 'unknown-issuer';
};

/** Faults of the server's own certificate that depend on no path. */
export const ownFaults = (leaf: ParsedCertificate): readonly Fault[] => {
  const selfSigned = isSelfSigned(leaf);
  return [
    ...anywhereFaults(leaf),
    ...leafFaults(leaf, { selfSigned }),
    ...(selfSigned ? [] : vouchedForFaults(leaf)),
  ];
};

/** Faults along the path above the leaf, and of its end. */
export const pathFaults = (
  path: Path,
  known: { readonly presented: readonly ParsedCertificate[]; readonly anchors: AnchorIndex },
): readonly Fault[] => {
  const issuers = [
    ...path.links.flatMap((_, at) => (at === 0 ? [] : issuerFaults(path, at))),
    ...constraintFaults(path),
    ...formFaults(path),
    ...(interceptorOf(path.links) === null ? [] : (['known-interceptor'] as const)),
  ];
  if (path.anchored) return issuers;
  // Without a path, what could not be read may be the very link that is missing.
  const unreadable = known.presented.some(({ malformed }) => malformed);
  return [...issuers, endFault(path.links, known), ...(unreadable ? (['malformed'] as const) : [])];
};

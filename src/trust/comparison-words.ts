// What a comparison says: one sentence on what changed, the first that fits of a table from the most alarming down,
// and notes beside it. Facts only. What looks harmless is said together with who else could make it look so.

import { dateOf } from './answer.ts';
import { boundText, type CertificateDescription } from './certificate.ts';
import type { Compared, ComparedField, Difference, Elsewhere, Side } from './comparison.ts';
import { corroborationText } from './corroboration.ts';
import { escapeText } from './escape.ts';
import { productOf } from './explain.ts';
import type { Fault } from './fault.ts';
import { isRejected } from './standing.ts';

export interface Facts extends Compared {
  readonly known: Side | null;
  readonly presented: Side;
  readonly differences: readonly Difference[];
}

interface Row {
  readonly when: (facts: Facts) => boolean;
  readonly say: (facts: Facts) => string;
}

const quoted = (text: string): string => escapeText(boundText(text, 120));
const has = ({ candidate }: Facts, fault: Fault): boolean => candidate.evidence.faults.includes(fault);
const isSame = ({ differences }: Facts, ...fields: readonly ComparedField[]): boolean =>
  differences.every(({ field, same }) => same || !fields.includes(field));
const isSelfSigned = (side: Side | null): boolean =>
  side?.certificate?.faults.includes('self-signed') ?? false;
const hostOf = ({ situation }: Facts): string =>
  situation.endpoint.slice(0, situation.endpoint.lastIndexOf(':'));
const caValid = ({ candidate }: Facts): boolean => candidate.evidence.caValid;
const issuerOf = ({ certificate }: Side): string => quoted(certificate?.issuer ?? 'an unknown issuer');
const namesOf = (names: readonly string[]): string => {
  const shown = names.slice(0, 4).map(quoted).join(', ');
  if (names.length === 0) return 'no name at all';
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
};

/** A CA vouched for what was known: under its own basis, or in the certificate of the pin. */
const byCaBefore = ({ known, situation: { record } }: Facts): boolean =>
  known !== null &&
  (known.basis === 'ca' ||
    record?.pins.some(({ evidence }) => evidence?.caValid === true && evidence.sha256 === known.sha256) ===
      true);

/** The table, most alarming first; the last row fits always. */
const sentences: readonly Row[] = [
  {
    when: ({ situation, presented }) => isRejected(situation, presented.spki),
    say: () => 'This key was rejected before: somebody decided that it must never be trusted here.',
  },
  {
    when: (facts) => has(facts, 'revoked'),
    say: ({ presented }) =>
      `The CA took this certificate back (${issuerOf(presented)}): most often because its key was lost to somebody.`,
  },
  {
    when: (facts) => has(facts, 'known-interceptor'),
    say: ({ presented, candidate }) => {
      const product = productOf(candidate.evidence.pem);
      return product === null
        ? `The certificate is that of a program which opens connections on their way (issuer ${issuerOf(presented)}), not of the server.`
        : `The certificate looks like that of ${product}, which opens connections on their way: it is not the server's.`;
    },
  },
  {
    when: ({ known }) => known === null,
    say: (facts) =>
      caValid(facts)
        ? `Nothing was known of ${facts.situation.endpoint} before, so there is nothing to compare with; a trusted CA vouches for this key under this name.`
        : `Nothing was known of ${facts.situation.endpoint} before, so there is nothing to compare with, and no trusted CA vouches for this key.`,
  },
  {
    when: ({ known, presented }) => known?.spki === presented.spki && known.basis === 'ended',
    say: () => 'The key is one that was trusted before and whose pin has ended.',
  },
  {
    when: ({ known, presented }) => known?.spki === presented.spki,
    say: (facts) =>
      caValid(facts)
        ? 'The key stayed the same.'
        : `The key stayed the same, but no trusted CA vouches for its certificate any more (${faultList(facts)}).`,
  },
  {
    when: ({ known }) => known?.certificate === null,
    say: () =>
      'Another key is pinned, and its certificate was never seen: there are only the two fingerprints to compare.',
  },
  {
    when: (facts) => byCaBefore(facts) && isSelfSigned(facts.presented),
    say: () =>
      'A trusted CA vouched for the server before, and now it shows a certificate that it made itself: somebody in between can make no other, and a server that has a CA has no reason to.',
  },
  {
    when: (facts) => has(facts, 'name-mismatch') && !isSame(facts, 'names'),
    say: (facts) =>
      `The key changed, and the certificate is not for ${hostOf(facts)} but for ${namesOf(facts.candidate.evidence.names)}: another server answered, or somebody stands in for this one.`,
  },
  {
    when: (facts) => byCaBefore(facts) && !caValid(facts) && isSame(facts, 'issuer'),
    say: (facts) =>
      `The key changed; the issuer is the same by name, but no trusted CA vouches for this certificate (${faultList(facts)}): anybody can write that name.`,
  },
  {
    when: (facts) => byCaBefore(facts) && !caValid(facts),
    say: (facts) =>
      `A trusted CA vouched for the server before, and now another key comes with a certificate that no trusted CA vouches for (issuer ${issuerOf(facts.presented)}).`,
  },
  {
    when: (facts) => !isSelfSigned(facts.known) && isSelfSigned(facts.presented),
    say: () =>
      'The known certificate was issued by somebody, and this one the other side made itself: anybody can make it.',
  },
  {
    when: (facts) => !isSame(facts, 'names'),
    say: (facts) =>
      `The key changed, and so did the names in the certificate: a server that was set up anew looks like this, and so does another server or an impostor${vouching(facts)}.`,
  },
  {
    when: (facts) => isSelfSigned(facts.known) && caValid(facts),
    say: (facts) =>
      `The server had a certificate that it made itself, and now a trusted CA (${issuerOf(facts.presented)}) vouches for another key: a move to a CA looks like this, and so does somebody who could make a CA believe that the name is his.`,
  },
  {
    when: (facts) => !isSame(facts, 'issuer') && caValid(facts),
    say: (facts) =>
      `The key and the issuer changed, and a trusted CA (${issuerOf(facts.presented)}) vouches for the name: a move to another CA looks like this, and so does somebody who could make a CA believe that the name is his.`,
  },
  {
    when: (facts) => !isSame(facts, 'issuer'),
    say: (facts) =>
      `The key and the issuer changed (now ${issuerOf(facts.presented)}), and no trusted CA vouches for either: a server that was set up anew looks like this, and so does an impostor.`,
  },
  {
    when: caValid,
    say: (facts) =>
      `The key changed; ${stayed(facts)} stayed, and a trusted CA vouches for it as before: a renewal that made a new key looks like this, and so does somebody who could make that CA believe that the name is his.`,
  },
  {
    when: () => true,
    say: (facts) =>
      `The key changed; ${stayed(facts)} stayed: a renewal that made a new key looks like this, and so does an impostor who copied the names.`,
  },
];

const faultList = ({ candidate }: Facts): string =>
  candidate.evidence.faults.length === 0 ? 'no path to one' : candidate.evidence.faults.join(', ');

const vouching = (facts: Facts): string =>
  caValid(facts) ? ', though a trusted CA vouches for it' : ', and no trusted CA vouches for it';

/** Of what people know a certificate by. */
function stayed(facts: Facts): string {
  if (isSame(facts, 'subject', 'issuer', 'names', 'notBefore', 'notAfter', 'serial'))
    return 'name, issuer, dates and everything else';
  return isSame(facts, 'subject', 'issuer', 'names') ? 'subject, issuer and names' : 'issuer and names';
}

export const sentenceOn = (facts: Facts): string =>
  sentences.find(({ when }) => when(facts))?.say(facts) ?? '';

/** Each says one fact, or nothing. */
const notes: readonly ((facts: Facts) => string | null)[] = [
  (facts) =>
    !isSame(facts, 'key') && isSame(facts, 'serial', 'issuer')
      ? 'Issuer and serial number are those of the known certificate, though the key is another: one issuer never gives a number twice, so one of the two was copied from the other.'
      : null,
  weakened,
  (facts) => (has(facts, 'weak-key') ? 'The key is weak: with today’s means it can be broken.' : null),
  misnamed,
  validity,
  knownEnd,
  namesMoved,
  otherCa,
  bothInUse,
  ({ elsewhere }) => (elsewhere.length === 0 ? null : elsewhereNote(elsewhere)),
  seenFromElsewhere,
];

export const notesOn = (facts: Facts): readonly string[] =>
  notes.flatMap((note) => {
    const said = note(facts);
    return said === null ? [] : [said];
  });

/** Said by the sentence where that is news. */
function misnamed(facts: Facts): string | null {
  if (!has(facts, 'name-mismatch')) return null;
  const names = namesOf(facts.candidate.evidence.names);
  if (facts.known?.certificate == null)
    return `The certificate is not for ${hostOf(facts)} but for ${names}.`;
  return isSame(facts, 'names') ? `As the known one, it is not for ${hostOf(facts)} but for ${names}.` : null;
}

/** Only between keys of one kind: what is stronger than what of two kinds is no fact. */
function weakened({ known, presented }: Facts): string | null {
  const [before, now] = [sizeOf(known?.certificate), sizeOf(presented.certificate)];
  if (before === null || now === null || before.kind !== now.kind || now.bits >= before.bits) return null;
  return `The new key is weaker than the known one: ${now.kind} ${now.bits} after ${before.kind} ${before.bits}.`;
}

function sizeOf(
  certificate: CertificateDescription | null | undefined,
): { readonly kind: string; readonly bits: number } | null {
  const [, kind, bits] = /^(RSA|DSA|EC) (?:P-)?(\d+)$/.exec(certificate?.key ?? '') ?? [];
  return kind === undefined || bits === undefined ? null : { kind, bits: Number(bits) };
}

function validity({ candidate: { evidence }, situation: { now } }: Facts): string | null {
  if (now > evidence.notAfter)
    return `The presented certificate ended on ${dateOf(bounded(evidence.notAfter))}.`;
  if (now < evidence.notBefore)
    return `The presented certificate begins only on ${dateOf(bounded(evidence.notBefore))}.`;
  return null;
}

/** That the old certificate ended admits no new key; that it had long to go is worth a question. */
function knownEnd({ known, presented, situation: { now } }: Facts): string | null {
  const notAfter = known?.certificate?.notAfter ?? null;
  if (notAfter === null || known?.spki === presented.spki) return null;
  const end = Date.parse(notAfter);
  return end < now
    ? `The known certificate ended on ${dateOf(end)}: a new one was due, which an impostor can know too.`
    : `The known certificate is good until ${dateOf(end)}: it was replaced before its end.`;
}

function namesMoved(facts: Facts): string | null {
  const { known, presented } = facts;
  if (known?.certificate == null || presented.certificate === null || isSame(facts, 'names')) return null;
  const [before, now] = [known.certificate, presented.certificate].map(
    ({ names }) => new Set(names.map(({ value }) => value)),
  );
  const gone = [...(before ?? [])].filter((name) => now?.has(name) !== true);
  const fresh = [...(now ?? [])].filter((name) => before?.has(name) !== true);
  const parts = [
    ...(gone.length === 0 ? [] : [`no longer for ${namesOf(gone)}`]),
    ...(fresh.length === 0 ? [] : [`now for ${namesOf(fresh)}`]),
  ];
  return parts.length === 0 ? null : `The certificate is ${parts.join(', and ')}.`;
}

/** A pin is compared, and a CA had a word as well. */
function otherCa({ known, presented, situation: { record } }: Facts): string | null {
  const lastCa = record?.lastCa ?? null;
  if (lastCa === null || known?.basis === 'ca') return null;
  return lastCa.spki === presented.spki
    ? `A trusted CA vouched for this very key on ${dateOf(lastCa.seenAt)}.`
    : `A trusted CA vouched for another key of this server on ${dateOf(lastCa.seenAt)}.`;
}

/** A pool of servers, or somebody who opens only some connections. */
function bothInUse({ known, presented, candidate, situation: { record } }: Facts): string | null {
  if (known === null || known.spki === presented.spki) return null;
  const pin = record?.pins.find(({ spki }) => spki === known.spki);
  const lastSeen = known.basis === 'ca' ? (record?.lastCa?.seenAt ?? null) : (pin?.lastSeen ?? null);
  if (lastSeen === null || lastSeen <= candidate.firstSeen) return null;
  return `The known key was seen again on ${dateOf(lastSeen)}, after this one first appeared on ${dateOf(candidate.firstSeen)}: a pool of servers looks like this, and so does somebody who opens only some connections.`;
}

const places: Readonly<Record<Elsewhere['as'], string>> = {
  pinned: 'pinned for',
  ca: 'vouched for by a CA at',
  rejected: 'rejected for',
  waiting: 'waiting for a decision at',
};

function elsewhereNote(elsewhere: readonly Elsewhere[]): string {
  const shown = elsewhere.slice(0, 4).map(({ endpoint, as }) => `${places[as]} ${endpoint}`);
  const more = elsewhere.length > 4 ? ` and known for ${elsewhere.length - 4} more` : '';
  return `The same key is ${shown.join(', ')}${more}.`;
}

function seenFromElsewhere({ candidate: { evidence } }: Facts): string | null {
  const { corroboration } = evidence;
  if (corroboration === undefined) return null;
  const against = corroboration.differing[0];
  if (against === undefined)
    return `When it was looked at from elsewhere, ${corroborationText(corroboration)}.`;
  const shown = against.spki === null ? 'a key that cannot be read' : against.spki;
  return `Seen from ${against.where} the server shows ${shown}.`;
}

/** A certificate may end in the year 9999999. */
const bounded = (at: number): number => Math.min(Math.max(at, -8.64e15), 8.64e15);

/** The one step that proves anything. */
export const proofOf = ({ presented, situation: { endpoint } }: Facts): string =>
  `Nothing in a certificate proves whose key it is. What does: the operator of ${endpoint}, asked by another way than this connection (by telephone, in person, at the server's own console), names the same fingerprint: of the key ${presented.spki}${ofCertificate(presented)}.`;

/** What openssl prints on the server; an operator who is asked often has no other. */
const ofCertificate = ({ sha256 }: Side): string =>
  sha256 === null ? '' : `, or of the certificate ${sha256}`;

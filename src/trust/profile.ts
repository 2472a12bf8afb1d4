// The form that RFC 5280 demands of a certificate for its place in a chain, beyond encoding: which extensions there
// must be, and which must be critical. OpenSSL asks for most of it only in its strict mode, which Node cannot switch on.
// A server's self-signed certificate is exempt (RFC 6818 section 2), and so is version 1, which has no extensions.

import { extensionIds } from './extensions.ts';
import type { Fault } from './fault.ts';
import { type ParsedCertificate, signedBy } from './parsed-certificate.ts';

type Rule = (certificate: ParsedCertificate) => boolean;

const isEmpty = ({ parts }: ParsedCertificate['subject']): boolean => parts.length === 0;
const isCa: Rule = ({ extensions }) => extensions.basicConstraints?.ca === true;
const mayUse = ({ extensions: { keyUsage } }: ParsedCertificate, usage: string): boolean =>
  keyUsage?.includes(usage) === true;
const criticality = ({ extensions }: ParsedCertificate, id: keyof typeof extensionIds): boolean | null =>
  extensions.critical.get(extensionIds[id]) ?? null;

/** Sections 4.1.2.4 and 4.1.2.6: only a server that has other names may do without a subject, and then they are critical. */
const lacksNames: Rule = (certificate) => {
  if (isEmpty(certificate.issuer)) return true;
  if (!isEmpty(certificate.subject)) return false;
  const bySubject = isCa(certificate) || mayUse(certificate, 'cRLSign');
  return bySubject || criticality(certificate, 'subjectAlternativeName') !== true;
};

const namesItself: Rule = ({ extensions: { authorityKey, subjectKeyId }, issuer, serial }) => {
  if (authorityKey === null) return false;
  const own = serial === null ? null : Buffer.from(serial).toString('hex');
  return (
    authorityKey.keyId !== null &&
    (subjectKeyId ?? authorityKey.keyId) === authorityKey.keyId &&
    (authorityKey.issuer ?? issuer.key) === issuer.key &&
    (authorityKey.serial ?? own) === own
  );
};

/** Section 4.2.1.1: names the issuer's key; what its own key signed may leave it out, but not name another. */
const lacksAuthorityKey: Rule = (certificate) => {
  const { extensions, issuer, subject } = certificate;
  if (extensions.authorityKey === null) return !signedBy(certificate, certificate);
  if (extensions.authorityKey.keyId === null) return true;
  // Most name others than themselves and need no look at the signature.
  return issuer.key === subject.key && !namesItself(certificate) && signedBy(certificate, certificate);
};

/**
 * Sections 4.2.1.2 and 4.2.1.9. That a CA must have a key usage (section 4.2.1.3) is left out: `openssl req -x509` makes
 * CAs without one, and without one no right is claimed that another rule would not see.
 */
const lacksCaForm: Rule = (certificate) =>
  isCa(certificate) &&
  (certificate.extensions.subjectKeyId === null || criticality(certificate, 'basicConstraints') !== true);

/** Sections 4.2.1.3, 4.2.1.9 and 4.2.1.10: for CAs only. */
const claimsCaRights: Rule = (certificate) => {
  const { basicConstraints, nameConstraints } = certificate.extensions;
  const limited = (basicConstraints?.pathLength ?? null) !== null;
  if (isCa(certificate)) return false;
  return limited || nameConstraints !== null || mayUse(certificate, 'keyCertSign');
};

/** Sections 4.2.1.1, 4.2.1.2, 4.2.1.11, 4.2.1.14 and 4.2.2.1. */
const isWronglyCritical: Rule = (certificate) =>
  criticality(certificate, 'authorityKeyId') === true ||
  criticality(certificate, 'subjectKeyId') === true ||
  criticality(certificate, 'authorityAccess') === true ||
  criticality(certificate, 'policyConstraints') === false ||
  criticality(certificate, 'inhibitAnyPolicy') === false;

const rules: readonly Rule[] = [
  lacksNames,
  lacksAuthorityKey,
  lacksCaForm,
  claimsCaRights,
  isWronglyCritical,
];

export const profileFaults = (certificate: ParsedCertificate): readonly Fault[] =>
  certificate.version === 3 && rules.some((rule) => rule(certificate)) ? ['off-profile'] : [];

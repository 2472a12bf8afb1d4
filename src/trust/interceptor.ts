// Recognises certificates that stand between a client and its server on purpose: antivirus programs that scan mail,
// proxies of companies and states, captive portals, tools that show traffic to developers, and placeholders of
// servers that did not find the name asked for. A key of theirs is never pinned by itself: it is not the server's.
//
// Only names of issuers on the path that was followed count, and for portals and placeholders the subject. Whoever
// appends such a certificate to a chain achieves nothing, and no vendor's own server is taken for its product: a rule
// asks for the name of the very CA the product makes. The text shown is ours; nothing of the certificate is repeated.

import type { DistinguishedName } from './distinguished-name.ts';
import { interceptors, type Interceptor, type NameRule } from './interceptors.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';

/** A value longer than any product's is compared with nothing. */
const maxValue = 256;

const meets = ({ attributes }: DistinguishedName, rule: NameRule): boolean =>
  Object.entries(rule).every(([type, pattern]) =>
    attributes.some(
      (attribute) =>
        attribute.type === type && attribute.value.length <= maxValue && pattern.test(attribute.value.trim()),
    ),
  );

const namesOf = (
  path: readonly ParsedCertificate[],
  place: Interceptor['in'],
): readonly DistinguishedName[] => {
  switch (place) {
    case 'issuer':
      return path.map(({ issuer }) => issuer);
    case 'subject':
      return path.slice(0, 1).map(({ subject }) => subject);
  }
};

/** The first row of the table that knows a certificate of the path; null for all others. */
export const interceptorOf = (path: readonly ParsedCertificate[]): Interceptor | null =>
  interceptors.find((row) =>
    namesOf(path, row.in).some((name) => row.names.some((rule) => meets(name, rule))),
  ) ?? null;

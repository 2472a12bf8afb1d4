// Public roots, in the bundles of systems and of Node, that are older than the rules of profile.ts: without these,
// every server below them would stop being CA-verified. Named by the SHA-256 of the certificate, so that nobody else
// can be taken for one. Only the form is let off; all else is looked at as in any other anchor.

const roots: Readonly<Record<string, string>> = {
  // Basic constraints that are not critical.
  'Go Daddy Class 2 Certification Authority':
    'c3846bf24b9e93ca64274c0ec67c1ecc5e024ffcacd2d74019350e81fe546ae4',
  'Starfield Class 2 Certification Authority':
    '1465fa205397b876faa6f0a9958e5590e40fcc7faa4fb7c2c8677521fb5fb658',
  'ePKI Root Certification Authority': 'c0a6f4dc63a24bfdcf54ef2a6a082a0a72de35803e2ff5ff527ae5d87206dfd5',
  // No subject key identifier.
  'TWCA Global Root CA': '59769007f7685d0fcd50872f9f95d5755a5b2b457d81f3692b610a98672f0e1b',
};

const ids: ReadonlySet<string> = new Set(Object.values(roots));

/** `id` is that of a ParsedCertificate. */
export const isOldRoot = (id: string): boolean => ids.has(id);

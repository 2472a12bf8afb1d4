// How a certificate is shown to people. The lines are printed through io.print, which escapes them.

import type { CertificateDescription } from '../src/trust/certificate.ts';
import { faults } from '../src/trust/fault.ts';
import type { Fault } from '../src/trust/fault.ts';
import { aligned, facts } from './table.ts';

const maxShownNames = 20;

export const certificateLines = (one: CertificateDescription): readonly string[] =>
  facts([
    ['subject', one.subject],
    ['issuer', one.issuer],
    ['names', namesOf(one)],
    ['valid', `${one.notBefore ?? 'unreadable'} to ${one.notAfter ?? 'unreadable'}`],
    ['key', one.key],
    ['signature', one.signature],
    ['serial', one.serial],
    ...(one.ca ? ([['ca', 'yes']] as const) : []),
    ...(one.keyUsage.length === 0 ? [] : ([['usage', one.keyUsage.join(', ')]] as const)),
    ...(one.extendedKeyUsage.length === 0 ? [] : ([['purpose', one.extendedKeyUsage.join(', ')]] as const)),
    ['key pin', one.spki ?? 'unreadable'],
    ['sha256', one.sha256],
  ]);

export const faultLines = (found: readonly Fault[]): readonly string[] =>
  aligned(found.map((code) => [`  ${code}`, faults[code].sentence]));

function namesOf({ names }: CertificateDescription): string {
  if (names.length === 0) return 'none';
  const shown = names
    .slice(0, maxShownNames)
    .map(({ type, value }) => (type === 'dns' ? value : `${type}:${value}`));
  return `${shown.join(', ')}${names.length > maxShownNames ? ` and ${names.length - maxShownNames} more` : ''}`;
}

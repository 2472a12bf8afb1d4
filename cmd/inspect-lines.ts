// An inspection as people read it.

import { refusals } from '../src/errors.ts';
import type { DaneState } from '../src/trust/dane.ts';
import { policies } from '../src/trust/evidence.ts';
import type { Verdict } from '../src/trust/evidence.ts';
import { certificateLines, faultLines } from './certificate-lines.ts';
import type { Inspection } from './inspect.ts';
import { stateWords } from './pin-lines.ts';
import { aligned } from './table.ts';

export function inspectionLines(inspection: Inspection): readonly string[] {
  const { route, peer, examined, row, verdicts } = inspection;
  const [leaf, ...others] = examined.chain;
  return [
    `${route.endpoint.name}  ${peer.tls.version}  ${peer.tls.cipher}`,
    ...(peer.tls.profile === 'legacy' ? ['Spoken to as a legacy server: only a pin counts'] : []),
    '',
    'Certificate of the server',
    ...(leaf === undefined ? ['  could not be read'] : certificateLines(leaf)),
    ...chainLines(others),
    '',
    `CA-verified: ${examined.caValid ? 'yes' : 'no'}`,
    `DANE: ${daneWords(inspection)}`,
    ...(examined.faults.length === 0 ? [] : ['Faults', ...faultLines(examined.faults)]),
    ...(examined.interceptor === undefined ? [] : [`It looks like that of ${examined.interceptor}`]),
    `Record: ${row === null ? 'none' : stateWords(row)}`,
    ...expectLines(inspection),
    '',
    'What each policy would say',
    ...aligned(policies.map((policy) => [`  ${policy}`, ...verdictWords(verdicts[policy])])),
  ];
}

const chainLines = (others: Inspection['examined']['chain']): readonly string[] =>
  others.length === 0
    ? []
    : [
        'Sent with it',
        ...others.map(({ subject, issuer }, index) => `  ${index + 1}. ${subject}, issued by ${issuer}`),
      ];

function expectLines({ expected }: Inspection): readonly string[] {
  if (expected === null) return [];
  return [expected ? 'Expected fingerprint: it is this one' : 'Expected fingerprint: this is ANOTHER key'];
}

function daneWords({ dane }: Inspection): string {
  if (dane === null) return 'not asked, no resolver is configured';
  return `${words[dane.state]} (${dane.detail})`;
}

const words: Readonly<Record<DaneState, string>> = {
  match: 'yes, a TLSA record proven by DNSSEC is of this certificate',
  mismatch: 'NO, the TLSA records proven by DNSSEC are of other certificates',
  unusable: 'nothing proven, the TLSA records are of kinds that count for nothing here',
  absent: 'nothing proven, DNSSEC proves that there are no TLSA records',
  insecure: 'nothing proven, the answer is not signed',
  bogus: 'nothing proven, the signatures of the answer do not verify',
  failed: 'nothing proven, no answer',
};

const verdictWords = (verdict: Verdict): readonly string[] =>
  verdict.accept
    ? ['accept', verdict.basis, verdict.why]
    : ['refuse', verdict.reason, refusals[verdict.reason].cause];

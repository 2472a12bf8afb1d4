// The prober as the admin API sees it: its probes in the shapes operators know.

import type { LastProbe, LeafShape, ProbeShape } from '../admin/live-shapes.ts';
import type { Probing } from '../admin/probing.ts';
import { isoDate } from '../admin/rows.ts';
import type { Probe, Prober } from '../proxy/prober.ts';
import { boundText, type CertificateDescription } from '../trust/certificate.ts';

export const probingOf = (prober: Pick<Prober, 'probe' | 'last' | 'next'>): Probing => ({
  probe: async (endpoint) => probeShape(await prober.probe(endpoint)),
  last: (endpoint) => {
    const probe = prober.last(endpoint);
    return probe === null ? null : lastProbe(probe);
  },
  next: (endpoint) => prober.next(endpoint),
});

const probeShape = (probe: Probe): ProbeShape => ({
  endpoint: probe.endpoint,
  ...lastProbe(probe),
  verdict: probe.verdict,
  spki: probe.spki,
  faults: probe.faults,
  ref: probe.reference,
  certificate: probe.certificate === null ? null : leafShape(probe.certificate),
});

const lastProbe = ({ at, result, reason, seconds }: Probe): LastProbe => ({
  at: isoDate(at),
  result,
  reason,
  seconds: Math.round(seconds * 1e6) / 1e6,
});

const leafShape = ({
  sha256,
  subject,
  issuer,
  names,
  notBefore,
  notAfter,
}: CertificateDescription): LeafShape => ({
  sha256,
  subject,
  issuer,
  names: names.slice(0, 16).map(({ value }) => boundText(value, 253)),
  notBefore,
  notAfter,
});

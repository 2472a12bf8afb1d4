// The x509-limbo corpus (https://x509-limbo.com), read from the file somebody names: it is never part of this
// project. A case is a chain, the roots to trust, the name to look for and what a validator ought to say.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const peerName = z.object({ kind: z.enum(['DNS', 'IP', 'RFC822']), value: z.string() });

const testcase = z.object({
  id: z.string(),
  validation_kind: z.enum(['SERVER', 'CLIENT']),
  trusted_certs: z.array(z.string()),
  untrusted_intermediates: z.array(z.string()),
  peer_certificate: z.string(),
  peer_certificate_key: z.string().nullable(),
  validation_time: z.string().nullable(),
  expected_result: z.enum(['SUCCESS', 'FAILURE']),
  expected_peer_name: peerName.nullable(),
  max_chain_depth: z.number().nullable(),
});

export interface Case {
  readonly id: string;
  readonly valid: boolean;
  /** One case is about no name: it is asked under that of most others, as a TLS client always asks for one. */
  readonly name: { readonly kind: 'dns' | 'ip'; readonly host: string };
  /** PEM. */
  readonly roots: readonly string[];
  readonly leaf: string;
  readonly intermediates: readonly string[];
  readonly key: string | null;
}

/**
 * The cases about a server that need no moment of their own: a handshake is judged now, and asks for no chain
 * length. What is left out: cases with a date (those with CRLs too), about clients, or with a greatest depth.
 */
export async function timeFreeCases(path: string): Promise<readonly Case[]> {
  const { testcases } = z
    .object({ testcases: z.array(testcase) })
    .parse(JSON.parse(await readFile(path, 'utf8')));
  return testcases
    .filter(
      (row) =>
        row.validation_time === null && row.validation_kind === 'SERVER' && row.max_chain_depth === null,
    )
    .map((row) => ({
      id: row.id,
      valid: row.expected_result === 'SUCCESS',
      name:
        row.expected_peer_name === null
          ? { kind: 'dns', host: 'example.com' }
          : { kind: row.expected_peer_name.kind === 'IP' ? 'ip' : 'dns', host: row.expected_peer_name.value },
      roots: row.trusted_certs,
      leaf: row.peer_certificate,
      intermediates: row.untrusted_intermediates,
      key: row.peer_certificate_key,
    }));
}

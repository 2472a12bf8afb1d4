// What a person is told of local certificates: warnings with stable codes, and the errors that keep a daemon
// from starting. Each says what to do.

import { CommandError } from '../errors.ts';
import type { Authority, Standing } from './authority.ts';
import type { Pair } from './pair.ts';

export interface News {
  readonly code: string;
  readonly message: string;
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const importing = 'clients that verify must import it: letterlock local-ca install --print';

type Replaceable = Extract<Standing, { readonly state: 'ended' | 'narrow' }>;

/** Why a CA is or will be replaced. */
export const whyReplaced = (authority: Authority, standing: Replaceable): string =>
  standing.state === 'ended'
    ? `${authority.name} ended on ${dayOf(authority.notAfter)}`
    : `${authority.name} must not vouch for ${standing.names.join(', ')}`;

export const news = {
  made: (authority: Authority): News => ({
    code: 'local-ca-made',
    message: `made a local CA, ${authority.name}; ${importing}`,
  }),
  replaced: (
    authority: Authority,
    before: { readonly authority: Authority; readonly standing: Replaceable },
  ): News => ({
    code: 'local-ca-replaced',
    message: `A NEW LOCAL CA: ${whyReplaced(before.authority, before.standing)}, so there is another now, ${authority.name}; ${importing}. The old one is kept beside it as ca-DATE.crt`,
  }),
  standing: (authority: Authority, standing: Exclude<Standing, Replaceable>): readonly News[] => {
    switch (standing.state) {
      case 'good':
        return [];
      case 'ending':
        return [
          {
            code: 'local-ca-ending',
            message: `${authority.name} ends on ${dayOf(authority.notAfter)}; then a new one is made, and clients must import it. To do it sooner, move ca.crt and ca.key away and restart`,
          },
        ];
      case 'early':
        return [
          {
            code: 'local-ca-early',
            message: `${authority.name} begins on ${dayOf(authority.notBefore)}, which is not yet: set the clock of this machine right, or, if the clock was wrong when it was made, move ca.crt and ca.key away and restart`,
          },
        ];
    }
  },
  renewed: ({ notAfter, parsed }: Pair): News => ({
    code: 'local-leaf-renewed',
    message: `renewed the certificate shown to clients, for ${parsed.extensions.names.map(({ value }) => value).join(', ')}, until ${dayOf(notAfter)}; the local CA is the same`,
  }),
  leafDamaged: ({ file, why }: { readonly file: string; readonly why: string }): News => ({
    code: 'local-leaf-remade',
    message: `${file} ${why}; it was made anew, the local CA is the same`,
  }),
  unsaved: (why: string): News => ({
    code: 'local-ca-unsaved',
    message: `clients are shown a certificate that could not be written down: ${why}`,
  }),
  notRenewed: (why: string): News => ({
    code: 'local-leaf-not-renewed',
    message: `the certificate shown to clients is due and cannot be renewed: ${why}`,
  }),
} as const;

/** Clients imported this CA: what is left of it must not be replaced behind their backs. */
export const authorityDamaged = (
  { file, why }: { readonly file: string; readonly why: string },
  folder: string,
): CommandError =>
  new CommandError('store', `${file} ${why}`, {
    code: 'local-ca-damaged',
    hint: `Put ca.crt and ca.key back from a copy of ${folder}. Or move both away: a new CA is made, which clients must import.`,
  });

export const authorityForeign = (file: string, why: string): CommandError =>
  new CommandError('store', `${file} ${why}`, {
    code: 'local-ca-foreign',
    hint: 'Name them with clientTls: {certificate: …, key: …}, and move ca.crt and ca.key away.',
  });

// Name constraints (RFC 5280 section 4.2.1.10): what the local CA may vouch for and nothing else, so that its
// key, stolen, makes nobody an impostor of a mail server. Pure.

import { isIPv4 } from 'node:net';
import { BlockList } from 'node:net';
import { AsnConvert } from '@peculiar/asn1-schema';
import { GeneralName, GeneralSubtree, GeneralSubtrees, NameConstraints } from '@peculiar/asn1-x509';
import type { LocalNames } from './names.ts';

/** Permitted subtrees. A name permits all names below it too; that is the standard's meaning. */
export interface Constraints {
  readonly dns: readonly string[];
  /** `127.0.0.0/8`, `::1/128`. */
  readonly networks: readonly string[];
}

export const constraintsOid = '2.5.29.30';

const loopback: readonly string[] = ['127.0.0.0/8', '::1/128'];

/** What a CA for these names permits: them, and all of loopback. */
export const constraintsFor = ({ dns, addresses }: LocalNames): Constraints => ({
  dns,
  networks: [...loopback, ...addresses.filter((address) => !isWithin(address, loopback)).map(networkOf)],
});

const networkOf = (address: string): string => `${address}/${isIPv4(address) ? 32 : 128}`;

export function encodeConstraints({ dns, networks }: Constraints): ArrayBuffer {
  const bases = [
    ...dns.map((dNSName) => new GeneralName({ dNSName })),
    ...networks.map((iPAddress) => new GeneralName({ iPAddress })),
  ];
  const permittedSubtrees = new GeneralSubtrees(bases.map((base) => new GeneralSubtree({ base })));
  return AsnConvert.serialize(new NameConstraints({ permittedSubtrees }));
}

/** The permitted names and addresses of an extension's value. Throws what the decoder throws. */
export function decodeConstraints(value: Uint8Array): Constraints {
  const { permittedSubtrees } = AsnConvert.parse(value, NameConstraints);
  const bases = [...(permittedSubtrees ?? [])].map(({ base }) => base);
  return {
    dns: bases.flatMap(({ dNSName }) => (dNSName === undefined ? [] : [dNSName])),
    networks: bases.flatMap(({ iPAddress }) => (iPAddress === undefined ? [] : [iPAddress])),
  };
}

/** The names a CA of these constraints must not vouch for; null constrains nothing, as does a kind not mentioned. */
export function notPermitted(constraints: Constraints | null, names: LocalNames): readonly string[] {
  if (constraints === null) return [];
  const { dns, networks } = constraints;
  return [
    ...names.dns.filter((name) => dns.length > 0 && !dns.some((base) => isBelow(name, base))),
    ...names.addresses.filter((address) => networks.length > 0 && !isWithin(address, networks)),
  ];
}

const isBelow = (name: string, base: string): boolean => name === base || name.endsWith(`.${base}`);

const family = (address: string): 'ipv4' | 'ipv6' => (isIPv4(address) ? 'ipv4' : 'ipv6');

function isWithin(address: string, networks: readonly string[]): boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [base = '', bits = ''] = network.split('/');
    list.addSubnet(base, Number(bits), family(base));
  }
  return list.check(address, family(address));
}

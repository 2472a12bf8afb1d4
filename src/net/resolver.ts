// Resolvers whose word on DNSSEC is taken: one on this machine, or one behind TLS that shows the certificate it must show
// (RFC 7858, RFC 8310). From anywhere else the AD bit of an answer is whatever somebody on the way made of it.

import { isIPv4 } from 'node:net';
import type { AnchorSet } from './anchors.ts';
import type { DnsMessage, DnsQuestion } from './dns-message.ts';

/** By address: a name would have to be looked up first, and by whom? */
export type Resolver = LoopbackResolver | TlsResolver;

export interface LoopbackResolver {
  readonly kind: 'loopback';
  /** 127.0.0.0/8 or ::1. */
  readonly host: string;
  readonly port: number;
}

/** At least one of `name` and `pins` must be given; where both are, both must hold. */
export interface TlsResolver {
  readonly kind: 'tls';
  readonly host: string;
  readonly port: number;
  /** What its certificate must be CA-verified for. */
  readonly name: string | null;
  /** `sha256//…`; its key must be one of them. */
  readonly pins: readonly string[];
  readonly anchors: AnchorSet;
}

/** Addresses that never leave this machine. */
export const isLoopbackAddress = (host: string): boolean =>
  host === '::1' || (isIPv4(host) && host.startsWith('127.'));

/** No answer that can be used; the message says why, in a few plain words. */
export class ResolverError extends Error {
  override readonly name = 'ResolverError';
}

/** Questions to one resolver, one at a time. */
export interface DnsLine {
  /** An answer to this very question. @throws ResolverError */
  ask(question: DnsQuestion): Promise<DnsMessage>;
  close(): void;
}

/** A larger answer is refused: nothing that is looked for here comes near it. */
export const maxMessage = 16_384;

/** Whether a message answers the question that was asked under this id. */
export function isAnswer(message: DnsMessage, { id, question }: Asked): boolean {
  return (
    message.isResponse &&
    message.id === id &&
    message.question?.name === question.name &&
    message.question.type === question.type
  );
}

export interface Asked {
  readonly id: number;
  readonly question: DnsQuestion;
}

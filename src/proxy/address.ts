// An address with its port, as written, and whether other machines can reach it.

import { isIPv6 } from 'node:net';
import type { Socket } from 'node:net';

export interface Address {
  readonly address: string;
  readonly port: number;
}

/** `127.0.0.1:1143`, `[::1]:1143`. */
export const addressText = ({ address, port }: Address): string =>
  isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;

/** 127.0.0.0/8, ::1, and IPv4 loopback in IPv6 clothing. */
export const isLoopback = (address: string): boolean =>
  /^(?:127\.|::ffff:127\.)/i.test(address) || address === '::1';

/** Who is at the other end of a TCP connection; null where that is a file, or nobody any more. */
export function remotePlace({
  remoteAddress,
  remotePort,
}: Pick<Socket, 'remoteAddress' | 'remotePort'>): string | null {
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return addressText({ address: remoteAddress.replace(/^::ffff:(?=\d)/i, ''), port: remotePort });
}

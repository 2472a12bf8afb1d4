// How a client may log in at the scripted server: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, whatever the
// protocol around them, and what became of each try.

import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { account } from '../dovecot.ts';
import { ScramExchange, ScramRefusal } from './exchange.ts';
import { Gone, type Talk } from './talk.ts';

export type Mechanism = 'SCRAM-SHA-256-PLUS' | 'SCRAM-SHA-256' | 'PLAIN';

/** One try to log in, as the server saw it. */
export interface Try {
  /** LOGIN is IMAP's own command. */
  readonly mechanism: Mechanism | 'LOGIN';
  /** What SCRAM said about channel binding: `n`, `y`, `p=tls-exporter`. */
  readonly flag: string;
  readonly outcome: 'in' | 'cancelled' | (string & {});
}

/** A protocol's way to send a challenge. */
export type Ask = (challenge: string) => string;

interface Attempt {
  readonly name: string;
  /** The initial response, in base64; null when there was none. */
  readonly initial: string | null;
  readonly ask: Ask;
}

/** Channel binding data as RFC 5929 and RFC 9266 define them, seen from the server. */
function channelBinding(socket: TLSSocket, certificate: string): (type: string) => Buffer | null {
  return (type) => {
    const version = socket.getProtocol();
    switch (type) {
      case 'tls-exporter':
        return version === 'TLSv1.3'
          ? socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
          : null;
      case 'tls-unique':
        // The first Finished message of a handshake that resumes nothing is the client's.
        return version === 'TLSv1.2' ? (socket.getPeerFinished() ?? null) : null;
      case 'tls-server-end-point':
        return createHash('sha256').update(new X509Certificate(certificate).raw).digest();
      default:
        return null;
    }
  };
}

export class Logins {
  readonly #offered: readonly Mechanism[];
  readonly #certificate: string;
  readonly tries: Try[] = [];

  constructor(offered: readonly Mechanism[], certificate: string) {
    this.#offered = offered;
    this.#certificate = certificate;
  }

  get offered(): readonly Mechanism[] {
    return this.#offered;
  }

  /** IMAP's LOGIN. */
  password(user: string, password: string): boolean {
    const fits = user === account.user && password === account.password;
    this.tries.push({ mechanism: 'LOGIN', flag: '', outcome: fits ? 'in' : 'invalid-proof' });
    return fits;
  }

  /** Carries one AUTHENTICATE or AUTH through; whether the client is in. */
  async authenticate(talk: Talk, { name, initial, ask }: Attempt): Promise<boolean> {
    const mechanism = this.#offered.find((each) => each === name.toUpperCase());
    if (mechanism === undefined) return false;
    const exchange = new ScramExchange({
      ...account,
      plus: mechanism === 'SCRAM-SHA-256-PLUS',
      offersPlus: this.#offered.includes('SCRAM-SHA-256-PLUS'),
      binding: talk.socket instanceof TLSSocket ? channelBinding(talk.socket, this.#certificate) : () => null,
      salt: randomBytes(16),
      nonce: randomBytes(18).toString('base64'),
    });
    const hear = async (challenge: string): Promise<string> => {
      talk.send(ask(Buffer.from(challenge).toString('base64')));
      return decoded(await talk.line());
    };
    try {
      const first = initial === null ? await hear('') : decoded(initial);
      if (mechanism === 'PLAIN') checkPlain(first);
      else await hear(exchange.final(await hear(exchange.first(first))));
      this.tries.push({ mechanism, flag: exchange.flag, outcome: 'in' });
      return true;
    } catch (error) {
      if (!(error instanceof ScramRefusal) && !(error instanceof Gone)) throw error;
      const outcome = error instanceof Gone ? 'gone' : error.message;
      this.tries.push({ mechanism, flag: exchange.flag, outcome });
      if (error instanceof Gone) throw error;
      return false;
    }
  }
}

function decoded(response: string): string {
  if (response === '*') throw new ScramRefusal('cancelled');
  return response === '=' ? '' : Buffer.from(response, 'base64').toString('utf8');
}

function checkPlain(message: string): void {
  const [, user, password] = message.split('\0');
  if (user !== account.user || password !== account.password) throw new ScramRefusal('invalid-proof');
}

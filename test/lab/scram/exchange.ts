// The server's half of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), as strict about channel binding
// as RFC 5802 section 6 demands: a client that could bind and thinks the server cannot is failed where the server
// offers it, for somebody may have taken the offer away. Written from the RFCs alone.

import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';

/** Why a login fails, in RFC 5802's words (section 7, server-error-value). */
export class ScramRefusal extends Error {}

export interface ScramTerms {
  readonly user: string;
  readonly password: string;
  /** Whether the client chose the -PLUS name. */
  readonly plus: boolean;
  /** Whether the server offers it. */
  readonly offersPlus: boolean;
  /** Channel binding data of this connection by type; null where there is none. */
  readonly binding: (type: string) => Buffer | null;
  readonly salt: Buffer;
  readonly nonce: string;
}

const iterations = 4096;
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));

/** One login: `first`, then `final`; both throw ScramRefusal. */
export class ScramExchange {
  readonly #terms: ScramTerms;
  #header = '';
  #flag = '';
  #clientFirst = '';
  #serverFirst = '';

  constructor(terms: ScramTerms) {
    this.#terms = terms;
  }

  /** What the client said about channel binding: `n`, `y` or `p=TYPE`; empty before `first`. */
  get flag(): string {
    return this.#flag;
  }

  /** The client's first message; returns the server's. */
  first(message: string): string {
    const parts = /^((n|y|p=[A-Za-z0-9.-]+),(?:a=[^,]*)?,)(n=([^,]*),r=([^,]+)(?:,.*)?)$/.exec(message);
    if (parts === null) throw new ScramRefusal('invalid-encoding');
    const [, header = '', flag = '', bare = '', name = '', clientNonce = ''] = parts;
    this.#flag = flag;
    this.#checkFlag(flag);
    const { user, nonce, salt } = this.#terms;
    if (name.replaceAll('=2C', ',').replaceAll('=3D', '=') !== user) throw new ScramRefusal('unknown-user');
    this.#header = header;
    this.#clientFirst = bare;
    this.#serverFirst = `r=${clientNonce}${nonce},s=${salt.toString('base64')},i=${iterations}`;
    return this.#serverFirst;
  }

  #checkFlag(flag: string): void {
    const { plus, offersPlus, binding } = this.#terms;
    if (flag === 'y' && offersPlus) throw new ScramRefusal('server-does-support-channel-binding');
    if (plus !== flag.startsWith('p='))
      throw new ScramRefusal(plus ? 'channel-binding-not-provided' : 'channel-binding-not-supported');
    if (plus && binding(flag.slice(2)) === null) throw new ScramRefusal('unsupported-channel-binding-type');
  }

  /** The client's last message; returns the server's, which proves that it knows the password too. */
  final(message: string): string {
    const parts = /^(c=([^,]+),r=([^,]+)),p=([^,]+)$/.exec(message);
    if (parts === null) throw new ScramRefusal('invalid-encoding');
    const [, withoutProof = '', bound = '', nonce = '', proof = ''] = parts;
    if (!this.#serverFirst.startsWith(`r=${nonce},`)) throw new ScramRefusal('other-error');
    const data = this.#terms.plus ? this.#terms.binding(this.#flag.slice(2)) : null;
    const expected = Buffer.concat([Buffer.from(this.#header), data ?? Buffer.alloc(0)]);
    if (bound !== expected.toString('base64')) throw new ScramRefusal('channel-bindings-dont-match');
    const transcript = `${this.#clientFirst},${this.#serverFirst},${withoutProof}`;
    const salted = pbkdf2Sync(this.#terms.password, this.#terms.salt, iterations, 32, 'sha256');
    const stored = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
    const given = Buffer.from(proof, 'base64');
    const clientKey = xor(given, hmac(stored, transcript));
    const fits =
      given.length === 32 && timingSafeEqual(createHash('sha256').update(clientKey).digest(), stored);
    if (!fits) throw new ScramRefusal('invalid-proof');
    return `v=${hmac(hmac(salted, 'Server Key'), transcript).toString('base64')}`;
  }
}

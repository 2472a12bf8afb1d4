// How a prologue ends. What the server said in clear is nobody's word: it never leaves here but as a bounded,
// escaped `detail` for the log, and nothing it claimed (capabilities, challenges) outlives the prologue.

import type { RefusalReason } from '../errors.ts';
import type { Conversation, Line, TalkFault } from './conversation.ts';

export type PrologueReason = RefusalReason | 'no-greeting';

export type PrologueResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: PrologueReason;
      /** ASCII without controls, at most 200 characters; for the log only. */
      readonly detail: string;
    };

/** One conversation up to the server's go-ahead, and not a byte further. */
export type Prologue = Conversation<PrologueResult>;

/** How a server's greeting reads, in clear and over TLS alike. */
export type GreetingVerdict = 'positive' | 'negative' | 'not-this-protocol' | 'preauth';

export const goAhead: PrologueResult = { ok: true };

/** Longest detail in the log, characters. */
const detailLength = 200;

/** A refused prologue; what the server said is quoted, escaped and cut. */
export function refused(reason: PrologueReason, said: string): PrologueResult {
  const quoted = said === '' ? 'nothing' : said;
  return { ok: false, reason, detail: escapeLatin1(`the server said ${quoted}`).slice(0, detailLength) };
}

/** The result for a talk whose conversation did not come to one of its own. */
export function prologueFault(fault: TalkFault): PrologueResult {
  switch (fault) {
    case 'ended':
      return { ok: false, reason: 'no-greeting', detail: 'the server closed before the go-ahead for TLS' };
    case 'line-too-long':
    case 'too-many-bytes':
    case 'too-many-lines':
    case 'bad-line-end':
      return {
        ok: false,
        reason: 'not-this-protocol',
        detail: `the server broke a limit before TLS: ${fault}`,
      };
  }
}

/**
 * The last word on a finished talk. Bytes behind the go-ahead are refused whatever they are, also half a line:
 * kept, they would become the beginning of the first line read through TLS (CVE-2011-0411 and its kin).
 */
export function concludePrologue(result: PrologueResult, left: Uint8Array): PrologueResult {
  if (!result.ok || left.length === 0) return result;
  return {
    ok: false,
    reason: 'injected-bytes',
    detail: `${String(left.length)} bytes came between the go-ahead and the handshake`,
  };
}

/** Receives one line; the driver never answers this ask with anything else. */
export function* receiveLine(): Generator<{ readonly receive: 'line' }, string, Line | null> {
  const line = yield { receive: 'line' };
  return line === null ? '' : line.text;
}

/** Everything but printable ASCII as `\xNN`, the backslash doubled: no C0, C1, bidi control or line end survives. */
const escapeLatin1 = (text: string): string =>
  text.replace(/[^ -~]|\\/g, (char) =>
    char === '\\' ? '\\\\' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );

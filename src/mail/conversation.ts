// Conversations are generators that never see a socket: they ask to send or to receive, and return their
// result. One driver (Talk) owns limits, turns and left-over bytes for all of them, so that no protocol can
// forget one. The driver returns what to write and carries a fault as a value: throwing would lose a reply
// already due.

/** What a conversation asks of its driver. */
export type Ask =
  | { readonly send: Uint8Array | string }
  /** The next line, without its line end. */
  | { readonly receive: 'line' }
  /** Swallow this many bytes (an IMAP or Sieve literal), unread and unlogged. */
  | { readonly discard: number };

/** A received line without its line end. In a wiped talk it is valid until the conversation's next ask only. */
export interface Line {
  readonly bytes: Uint8Array;
  /** The same bytes as Latin-1, one character each. Not asked for, it is not made. */
  readonly text: string;
}

export type Conversation<T> = Generator<Ask, T, Line | null>;

export interface TalkLimits {
  /** One line, octets, without its line end. */
  readonly lineBytes: number;
  /** All received bytes. */
  readonly totalBytes: number;
  /** All received lines. */
  readonly lines: number;
  /** `crlf` (the default) makes a bare CR, a bare LF and a NUL faults; `lf` takes CRLF and LF alike, NUL stays a fault. */
  readonly lineEnds?: 'crlf' | 'lf';
  /** Overwrite received bytes as soon as the conversation is through with them: for lines that may hold a secret. */
  readonly wiped?: boolean;
}

/** Why a talk ended without its conversation's result. */
export type TalkFault = 'line-too-long' | 'too-many-bytes' | 'too-many-lines' | 'bad-line-end' | 'ended';

/** One turn: what to write now, and how the talk stands. `left` are bytes after the last one consumed. */
export type Turn<T> = { readonly write: Uint8Array } & (
  | { readonly state: 'open' }
  | { readonly state: 'done'; readonly result: T; readonly left: Uint8Array }
  | { readonly state: 'fault'; readonly fault: TalkFault }
);

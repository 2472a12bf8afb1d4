// What the login filter asks of a protocol: how one line of either side reads before a login. A dialogue never
// sees a chunk, keeps no line of the client, and has no say once the filter ended.

/** How a server line reads. */
export type Heard =
  /** Let it go as it is. */
  | 'pass'
  /** Part of a list that only makes sense whole: hold it. */
  | 'hold'
  /** It ends what is held, or stands alone: let all of it go altered. */
  | 'alter'
  /** The login succeeded: let it go as it is, and end. */
  | 'login'
  /** Not a line known here: let it go as it is, and end. */
  | 'strange';

export interface LoginDialogue {
  /** A server line without its CRLF. */
  server(line: string): Heard;
  /** Held lines and the one that ended them, without what the client must not see. */
  altered(lines: readonly string[]): readonly string[];
  /** A client's line without its line end; `end` when it is no command of before a login. It is overwritten afterwards. */
  client(line: Uint8Array): 'on' | 'end';
  /** Called where a client's line or literal begins: octets of a literal to skip first, or that it cannot be followed. */
  literal(): number | 'end';
}

/** More commands without an answer than this are not followed. */
export const openCommands = 32;

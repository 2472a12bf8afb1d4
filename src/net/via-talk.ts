// What is said to a proxy before it opens the way: a generator that asks to send and then to read so many bytes,
// and returns how it ended. It never sees a socket. Counted reads, not chunks: behind the proxy's last byte may
// stand the mail server's first, and that one is not the proxy's.

/** `send` these, then give me the next `read` bytes, exactly; at least one. */
export interface ViaStep {
  readonly send: Uint8Array;
  readonly read: number;
}

/** `detail` may quote the proxy: escaped and bounded. `passing`: the same may go well a moment later. */
export type ViaEnd =
  { readonly opened: true } | { readonly opened: false; readonly detail: string; readonly passing: boolean };

/** Steps that lead to a `T`. */
export type ViaSteps<T> = Generator<ViaStep, T, Uint8Array>;
export type ViaTalk = ViaSteps<ViaEnd>;

export interface ViaLogin {
  readonly user: string;
  readonly password: string;
}

/** Where the way shall lead: a name goes to the proxy as a name and is never looked up here. */
export interface ViaTarget {
  readonly host: string;
  readonly port: number;
}

export const refusedVia = (detail: string): ViaEnd => ({ opened: false, detail, passing: false });
export const failedVia = (detail: string): ViaEnd => ({ opened: false, detail, passing: true });

// The waits of a session that no configuration names, milliseconds. Tests give shorter ones.

import { farewellMs } from '../mail/farewell.ts';

export interface Timing {
  /** Before an IMAP BYE, so that a client which reconnects at once does so slowly. */
  readonly farewellDelayMs: number;
  /** A farewell altogether, delay and closing included. */
  readonly farewellMs: number;
  /** SMTP and LMTP: the refused client is cut off earlier. */
  readonly smtpFarewellMs: number;
  /** For the client to close after the last word, so that no reset overtakes it. */
  readonly lingerMs: number;
  /** ManageSieve: the capabilities again after STARTTLS. */
  readonly sieveProofMs: number;
  /** Looking at a first use from elsewhere, all vantage points together. */
  readonly corroborateMs: number;
  /** For a client to ask for STARTTLS, all that it says before included. */
  readonly startTlsMs: number;
  /** Written data not taken by the other side for so long breaks a session. */
  readonly drainMs: number;
  /** A connection kept ready lives for half of it to all of it; servers give up after three minutes and more. */
  readonly warmLifeMs: number;
  /** So long after a client came another is expected. */
  readonly warmDemandMs: number;
  /** After a failure to warm, half of it to all of it; doubled with each one more. */
  readonly warmRetryMs: number;
  readonly warmLongestRetryMs: number;
  /** One probe altogether. */
  readonly probeMs: number;
  /** For a server to close after a probe took its leave. */
  readonly probeLeaveMs: number;
}

export const defaultTiming: Timing = {
  farewellDelayMs: 1_500,
  farewellMs: farewellMs('imap'),
  smtpFarewellMs: farewellMs('smtp'),
  lingerMs: 2_000,
  sieveProofMs: 10_000,
  corroborateMs: 10_000,
  startTlsMs: 60_000,
  drainMs: 60_000,
  warmLifeMs: 60_000,
  warmDemandMs: 600_000,
  warmRetryMs: 2_000,
  warmLongestRetryMs: 300_000,
  probeMs: 60_000,
  probeLeaveMs: 1_000,
};

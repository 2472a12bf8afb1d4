// The errors that carry the codes of the table. A Refusal is our decision, a Failure is the world not letting us;
// TypeError and RangeError stay the caller's mistake.

import {
  failures,
  misuses,
  refusals,
  type ExitName,
  type FailureReason,
  type Misuse,
  type RefusalReason,
} from './codes.ts';

// Who carries a code names it too.
export {
  clientRejections,
  exitCodes,
  failures,
  isClientRejection,
  isFailure,
  isMisuse,
  isRefusal,
  misuses,
  refusals,
  type ClientRejection,
  type ExitName,
  type FailureReason,
  type Misuse,
  type Permanence,
  type RefusalReason,
} from './codes.ts';

/** Base of every error letterlock throws on purpose: a stable `code`, a message for people, an optional hint. */
export class LetterlockError extends Error {
  readonly code: string;
  readonly hint: string | null;

  constructor(
    code: string,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint ?? null;
  }
}

/** We decided not to. */
export class Refusal extends LetterlockError {
  declare readonly code: RefusalReason;
  constructor(
    code: RefusalReason,
    message: string = refusals[code].cause,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(code, message, { hint: refusals[code].advice, ...options });
  }
}

/** The world did not let us. */
export class Failure extends LetterlockError {
  declare readonly code: FailureReason;
  constructor(
    code: FailureReason,
    message: string = failures[code].cause,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(code, message, { hint: failures[code].advice, ...options });
  }
}

/** The program's own mistake, where going on would not be safe. */
export class MisuseError extends LetterlockError {
  declare readonly code: Misuse;
  constructor(code: Misuse, message: string = misuses[code].cause) {
    super(code, message, { hint: misuses[code].advice });
  }
}

/** A command could not be carried out as asked; `exit` is what the command line ends with. */
export class CommandError extends LetterlockError {
  readonly exit: ExitName;
  constructor(
    exit: ExitName,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown; readonly code?: string } = {},
  ) {
    super(options.code ?? exit, message, options);
    this.exit = exit;
  }
}

// The configuration: read from YAML, environment and flags, checked whole before anything starts.

import type { ResolverPlace } from './net/open-tlsa.ts';
import type { Route } from './proxy/route.ts';

/** The checked configuration, canonical: defaults, presets and trust inheritance are applied. */
export interface Config {
  /** Absolute state directory. */
  readonly state: string;
  readonly routes: readonly Route[];
  /** Whom TLSA records are asked of; null: nobody. */
  readonly resolver: ResolverPlace | null;
  readonly metrics: {
    readonly host: string;
    readonly port: number;
    /** A busy port is an error, not a warning. */ readonly explicit: boolean;
  } | null;
  readonly admin: {
    readonly socket: { readonly path: string; readonly mode: number; readonly group: string | null };
    /** Where the page is served; null: nowhere. */
    readonly listen: { readonly host: string; readonly port: number } | null;
  };
  /** Names and addresses besides the usual local ones that the local CA may vouch for; canonical. */
  readonly localCa: { readonly names: readonly string[] };
  readonly log: {
    readonly level: 'error' | 'warn' | 'info' | 'debug';
    readonly format: 'json' | 'pretty' | 'auto';
  };
  readonly shutdownSeconds: number;
}

/** One thing wrong with the configuration. `line` and `column` start at 1; null for environment and flags. */
export interface ConfigProblem {
  /** File name, `environment` or `command line`, with the variable or flag: `command line (--trust)`. */
  readonly source: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
  readonly suggestion: string | null;
  /** The line of text the caret points into; null when there is none. */
  readonly excerpt: string | null;
}

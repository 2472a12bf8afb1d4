// What every view has before it: the daemon, what it told last, and the means to tell a person something.

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { EndpointRow, FeedEntry, SessionRow, StatusShape } from '../wire.ts';
import type { Api, ApiError } from './api.ts';
import type { Sample } from './rates.ts';
import type { Polled } from './use-polled.ts';

export interface Desk {
  readonly api: Api;
  /** Whether the token may change anything; without it no control that writes is shown. */
  readonly mayWrite: boolean;
  /** Milliseconds since 1970, a few times a minute. */
  readonly now: number;
  readonly status: Polled<StatusShape>;
  readonly sessions: Polled<readonly SessionRow[]>;
  readonly endpoints: Polled<readonly EndpointRow[]>;
  readonly samples: readonly Sample[];
  /** Oldest first, bounded. */
  readonly entries: readonly FeedEntry[];
  readonly feed: { readonly connected: boolean; readonly missed: boolean };
  readonly theme: string;
  /** Moves when something about trust changed: what depends on it asks again. */
  readonly changes: number;
  /** Reads a sentence to people who hear the page. */
  readonly say: (text: string) => void;
  /** Why what is shown is not as it is now; null while it is. */
  readonly lost: ApiError | null;
  /** Whether another view was shown before: then the new one takes the focus. */
  readonly moved: { readonly current: boolean };
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === null) throw new Error('no desk above this part');
  return desk;
}

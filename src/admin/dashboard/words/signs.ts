// The words, icons and tones by which states, verdicts and levels are told apart. A tone is never the only sign:
// each comes with its own word and its own icon. Pinned is never shown like CA-verified (RFC 8314 section 5.4). Pure.

import type { EndpointRow, FeedEntry, LastVerdict, SessionRow } from '../wire.ts';

export type Tone = 'good' | 'pin' | 'dane' | 'first' | 'bad' | 'odd' | 'plain';
export type IconName =
  | 'about'
  | 'alert'
  | 'arrow'
  | 'broken'
  | 'check'
  | 'clock'
  | 'close'
  | 'conflict'
  | 'copy'
  | 'empty'
  | 'endpoints'
  | 'equal'
  | 'events'
  | 'first'
  | 'history'
  | 'info'
  | 'lock'
  | 'moon'
  | 'overview'
  | 'pause'
  | 'pin'
  | 'play'
  | 'probe'
  | 'refused'
  | 'reload'
  | 'search'
  | 'seal'
  | 'sessions'
  | 'sun'
  | 'undo'
  | 'unequal'
  | 'unknown';

export interface Sign {
  readonly word: string;
  readonly icon: IconName;
  readonly tone: Tone;
  /** One sentence for people who see the word for the first time. */
  readonly meaning: string;
}

export const states: Readonly<Record<EndpointRow['state'], Sign>> = {
  none: {
    word: 'not seen yet',
    icon: 'unknown',
    tone: 'plain',
    meaning: 'Nothing is remembered of this server.',
  },
  ca: {
    word: 'CA-verified',
    icon: 'seal',
    tone: 'good',
    meaning: 'A trusted certificate authority vouches for this server, and nothing less is accepted.',
  },
  pinned: {
    word: 'pinned',
    icon: 'pin',
    tone: 'pin',
    meaning: 'Only the remembered keys are accepted; no certificate authority is involved.',
  },
  emptied: {
    word: 'pins spent',
    icon: 'empty',
    tone: 'bad',
    meaning: 'It was pinned, and no pin counts any more: every session is refused.',
  },
  conflict: {
    word: 'conflict',
    icon: 'conflict',
    tone: 'odd',
    meaning: 'Several proxies saw different keys; nothing is accepted until somebody decides.',
  },
  damaged: {
    word: 'damaged',
    icon: 'broken',
    tone: 'bad',
    meaning: 'The record does not verify, so that nothing new is learnt. See letterlock pins verify.',
  },
};

export const verdicts: Readonly<Record<LastVerdict['verdict'], Sign>> = {
  ca: { ...states.ca, meaning: 'A trusted certificate authority vouched for the key.' },
  pin: {
    word: 'pinned key',
    icon: 'pin',
    tone: 'pin',
    meaning: 'The server showed a key that is pinned; no certificate authority was involved.',
  },
  dane: {
    word: 'DANE',
    icon: 'lock',
    tone: 'dane',
    meaning: 'A TLSA record, proven by DNSSEC, names the key.',
  },
  'first-use': {
    word: 'first use',
    icon: 'first',
    tone: 'first',
    meaning: 'The key was new and is pinned from now on; nobody has compared it yet.',
  },
  refused: {
    word: 'refused',
    icon: 'refused',
    tone: 'bad',
    meaning: 'letterlock did not let the mail program talk to this server.',
  },
};

/** What an endpoint is shown as: what it does now counts for more than what is remembered. */
export function signOf({ state, refusing, lastVerdict }: EndpointRow): Sign {
  if (state === 'conflict' || state === 'damaged' || state === 'emptied') return states[state];
  if (refusing) return verdicts.refused;
  if (lastVerdict?.verdict === 'dane') return verdicts.dane;
  if (state === 'pinned' && lastVerdict?.verdict === 'first-use') return verdicts['first-use'];
  return states[state];
}

export const stages: Readonly<Record<SessionRow['stage'], string>> = {
  asking: 'verifying',
  relaying: 'relaying',
  ending: 'ending',
};

/** A state this page does not know keeps its own name. */
export function routeSign(state: string): Sign {
  const known = routeSigns[state];
  return known ?? { word: state, icon: 'info', tone: 'plain', meaning: state };
}

const routeSigns: Readonly<Record<string, Sign>> = {
  ready: {
    word: 'ready',
    icon: 'check',
    tone: 'good',
    meaning: 'It listens, and nothing went wrong last time.',
  },
  refusing: { ...verdicts.refused, word: 'refusing' },
  failing: {
    word: 'failing',
    icon: 'alert',
    tone: 'first',
    meaning: 'Its server could not be reached last time.',
  },
  draining: {
    word: 'draining',
    icon: 'clock',
    tone: 'plain',
    meaning: 'It takes no new sessions and lets the open ones end.',
  },
};

export const levels: Readonly<Record<FeedEntry['level'], Sign>> = {
  error: { word: 'error', icon: 'broken', tone: 'bad', meaning: 'Something does not work.' },
  warn: { word: 'warning', icon: 'alert', tone: 'first', meaning: 'Somebody should look at it.' },
  info: { word: 'info', icon: 'info', tone: 'plain', meaning: 'What is usual.' },
  debug: { word: 'debug', icon: 'info', tone: 'plain', meaning: 'For looking closely.' },
};

const changes: Readonly<Record<string, readonly [string, IconName, Tone]>> = {
  'first-use': ['first use', 'first', 'first'],
  'ca-verified': ['CA-verified', 'seal', 'good'],
  approved: ['approved', 'check', 'pin'],
  added: ['pin added', 'pin', 'pin'],
  imported: ['imported', 'pin', 'pin'],
  promoted: ['the CA decides now', 'seal', 'good'],
  'handed-over': ['handed over', 'arrow', 'pin'],
  retired: ['retired', 'clock', 'plain'],
  rejected: ['rejected', 'refused', 'bad'],
  unrejected: ['allowed again', 'undo', 'first'],
  forgotten: ['forgotten', 'empty', 'first'],
  expired: ['pin ended', 'clock', 'plain'],
  undone: ['undone', 'undo', 'first'],
  candidate: ['refused key kept', 'alert', 'first'],
  'config-pinned': ['pinned by configuration', 'pin', 'pin'],
  'dane-proven': ['proven by DANE', 'lock', 'dane'],
  'started-over': ['started over', 'broken', 'bad'],
  'rollback-accepted': ['older store accepted', 'broken', 'bad'],
  repaired: ['repaired', 'check', 'first'],
};

/** How a change of trust is called in the history; an unknown one keeps its own name. */
export function changeSign(event: string): Sign {
  const [word, icon, tone] = changes[event] ?? [event, 'info', 'plain'];
  return { word, icon, tone, meaning: event };
}

// The pin store: whole, damaged, in use, or not there yet.

import { finding, type Finding } from '../finding.ts';

export type StoreFacts =
  | {
      readonly state: 'daemon' | 'files';
      readonly directory: string;
      /** good, healed, started, damaged, rolled-back, unavailable. */
      readonly health: string;
      readonly records: number | null;
      readonly generation: number | null;
      readonly problems: readonly string[];
    }
  | { readonly state: 'missing'; readonly directory: string }
  | { readonly state: 'locked'; readonly directory: string; readonly holder: string | null }
  | { readonly state: 'foreign'; readonly directory: string; readonly owner: string }
  | {
      readonly state: 'unreadable';
      readonly directory: string;
      readonly message: string;
      readonly hint: string | null;
    };

export function checkStore(facts: StoreFacts): readonly Finding[] {
  const { directory } = facts;
  switch (facts.state) {
    case 'missing':
      return [
        finding('store', 'note', {
          message: `there is no pin store in ${directory} yet`,
          meaning:
            'The first start makes one. If there was one before: nothing is known any more, and that is worth a question.',
        }),
      ];
    case 'locked':
      return [
        finding('store', 'note', {
          message: `the pin store in ${directory} is in use${facts.holder === null ? '' : ` by ${facts.holder}`}`,
          meaning:
            'Only who has it can say how it stands. Programs of one user share it with each other and with a daemon.',
        }),
      ];
    case 'foreign':
      return [
        finding('store', 'note', {
          message: `the pin store in ${directory} belongs to ${facts.owner}`,
          meaning: 'It was not opened: what another user writes there could lock its owner out.',
          advice: `Run: sudo -u ${facts.owner} letterlock doctor`,
        }),
      ];
    case 'unreadable':
      return [
        finding('store', 'fault', {
          message: facts.message,
          meaning: 'Servers that need a record are refused (store-unavailable).',
          ...(facts.hint === null ? {} : { advice: facts.hint }),
        }),
      ];
    case 'daemon':
    case 'files':
      return [healthFinding(facts)];
  }
}

const whole: ReadonlySet<string> = new Set(['good', 'healed', 'started']);

function healthFinding({
  health,
  directory,
  records,
  generation,
  problems,
}: Extract<StoreFacts, { state: 'daemon' | 'files' }>): Finding {
  if (problems.length === 0 && whole.has(health)) {
    const counted = records === null ? '' : `, ${records} ${records === 1 ? 'record' : 'records'}`;
    const turned = generation === null ? '' : `, generation ${generation}`;
    return finding('store', 'ok', {
      message: `${directory}: database and seal agree${counted}${turned}${health === 'good' ? '' : ` (an interrupted write: the next start puts it right)`}`,
    });
  }
  return finding('store', 'fault', {
    message: `the pin store in ${directory} is ${health}${problems.length === 0 ? '' : `: ${problems.slice(0, 3).join('; ')}`}`,
    meaning:
      'What verifies is still believed; nothing is learnt, and servers without a sure record are refused.',
    advice: 'letterlock pins repair shows the ways back, and changes nothing.',
  });
}

// What happens, as it happens: what the log says, with a pause for reading.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useDesk } from '../data/desk.ts';
import { Icon } from '../parts/icon.tsx';
import { Page } from '../parts/page.tsx';
import { SearchField } from '../parts/search-field.tsx';
import { Badge, Empty, Wire } from '../parts/words.tsx';
import type { FeedEntry } from '../wire.ts';
import { addressOf } from '../words/route.ts';
import { entryText, matchesWords } from '../words/search.ts';
import { levels } from '../words/signs.ts';

const shownEntries = 200;
const levelNames = ['debug', 'info', 'warn', 'error'] as const;
type Least = FeedEntry['level'];
const leastWords: Readonly<Record<Least, string>> = {
  debug: 'Everything',
  info: 'Info and above',
  warn: 'Warnings and errors',
  error: 'Errors only',
};

export function EventsView(): VNode {
  const { entries, feed } = useDesk();
  const [frozen, setFrozen] = useState<readonly FeedEntry[] | null>(null);
  const [least, setLeast] = useState<Least>('debug');
  const [typed, setTyped] = useState('');
  const fresh = frozen === null ? 0 : entries.filter(({ id }) => id > (frozen.at(-1)?.id ?? 0)).length;
  const fitting = (frozen ?? entries).filter(
    (entry) =>
      levelNames.indexOf(entry.level) >= levelNames.indexOf(least) && matchesWords(entryText(entry), typed),
  );
  return (
    <Page
      title="Events"
      lead={feed.connected ? 'Live, the newest first.' : 'The stream broke off; it is asked for again.'}
      side={
        <PauseButton
          paused={frozen !== null}
          fresh={fresh}
          onPress={() => setFrozen(frozen === null ? entries : null)}
        />
      }
    >
      <div class="filters">
        <SearchField label="Search events" value={typed} onValue={setTyped} />
        <label class="select">
          <span class="sr">Least level</span>
          <select value={least} onChange={(event) => setLeast(leastOf(event.currentTarget.value))}>
            {levelNames.map((name) => (
              <option value={name} key={name}>
                {leastWords[name]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {feed.missed ? (
        <p class="quiet">Some events went by while the stream was broken; the log of the daemon has them.</p>
      ) : null}
      {fitting.length === 0 ? (
        <Empty>{entries.length === 0 ? 'Nothing happened yet.' : 'None of them fits.'}</Empty>
      ) : null}
      <ol class="entries card card-flush" hidden={fitting.length === 0}>
        {fitting
          .slice(-shownEntries)
          .toReversed()
          .map((entry) => (
            <Entry entry={entry} key={entry.id} />
          ))}
      </ol>
      {fitting.length > shownEntries ? (
        <p class="quiet">
          The latest {shownEntries} of {fitting.length} are shown; search narrows them.
        </p>
      ) : null}
    </Page>
  );
}

const leastOf = (value: string): Least => levelNames.find((name) => name === value) ?? 'debug';

interface PauseProps {
  readonly paused: boolean;
  readonly fresh: number;
  readonly onPress: () => void;
}

function PauseButton({ paused, fresh, onPress }: PauseProps): VNode {
  return (
    <button type="button" class="button" aria-pressed={paused} onClick={onPress}>
      <Icon name={paused ? 'play' : 'pause'} />
      {paused ? `Go on${fresh === 0 ? '' : ` (${fresh} new)`}` : 'Pause'}
    </button>
  );
}

function Entry({ entry }: { readonly entry: FeedEntry }): VNode {
  const endpoint = entry.fields['endpoint'];
  const facts = Object.entries(entry.fields).filter(
    // What a client was told often is the message itself.
    ([name, value]) => name !== 'endpoint' && value !== entry.message && isTold(value),
  );
  return (
    <li class="entry">
      <time dateTime={entry.at}>{entry.at.slice(11, 19)}</time>
      <Badge sign={levels[entry.level]} />
      <div>
        <p>
          <Wire text={entry.message} />
        </p>
        <p class="quiet facts">
          <code>{entry.event}</code>
          {typeof endpoint === 'string' ? (
            <a href={addressOf({ view: 'endpoint', endpoint })}>
              <Wire text={endpoint} />
            </a>
          ) : null}
          {facts.map(([name, value]) => (
            <span key={name}>
              {name} <Wire text={Array.isArray(value) ? value.join(', ') : String(value)} />
            </span>
          ))}
        </p>
      </div>
    </li>
  );
}

const isTold = (value: FeedEntry['fields'][string]): boolean =>
  value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);

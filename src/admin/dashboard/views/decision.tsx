// The decision about a refused key: what changed, both certificates side by side, what is wrong with the new one, and
// the two ways out. The presented fingerprint can be read and not be copied: the one that decides comes from elsewhere.

import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useDesk } from '../data/desk.ts';
import { usePolled } from '../data/use-polled.ts';
import { ComparisonTable } from '../parts/comparison.tsx';
import { Corroborated, Faults } from '../parts/findings.tsx';
import { Decide } from '../parts/decide.tsx';
import { Icon } from '../parts/icon.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Why } from '../parts/why.tsx';
import { Badge, Empty, When, Wire } from '../parts/words.tsx';
import type { Comparison, PinsRow } from '../wire.ts';
import { addressOf } from '../words/route.ts';
import { states } from '../words/signs.ts';

/** `reference` may be an endpoint as well: then the key it showed last is compared, and the others are named. */
export function DecisionView({ reference }: { readonly reference: string }): VNode {
  return reference.includes(':') ? <Newest endpoint={reference} /> : <One reference={reference} />;
}

function Newest({ endpoint }: { readonly endpoint: string }): VNode {
  const { api } = useDesk();
  const { value, error } = usePolled<PinsRow>(api, `pins/${encodeURIComponent(endpoint)}`, null);
  const [newest] = (value?.candidates ?? []).toSorted((one, other) =>
    other.lastSeen.localeCompare(one.lastSeen),
  );
  if (newest !== undefined) return <One reference={newest.ref} />;
  return (
    <Page title={<Wire text={endpoint} />}>
      <ErrorNotice error={error} />
      {value === null && error === null ? <Empty>Asking letterlock…</Empty> : <Gone />}
    </Page>
  );
}

function One({ reference }: { readonly reference: string }): VNode {
  const { api, changes } = useDesk();
  const { value, error, refresh } = usePolled<Comparison>(
    api,
    `candidates/${encodeURIComponent(reference)}`,
    null,
  );
  const [decided, setDecided] = useState(false);
  useEffect(() => {
    // Once decided there is no candidate any more, and the answer has to stay.
    if (changes > 0 && !decided) refresh();
  }, [changes, decided, refresh]);
  if (value === null) {
    return (
      <Page title="A refused key">
        <ErrorNotice error={error} />
        {error === null ? <Empty>Asking letterlock…</Empty> : <Gone />}
      </Page>
    );
  }
  return (
    <>
      {/* It waited when it was read; since then somebody else may have decided, or nobody answers. */}
      {decided ? null : <ErrorNotice error={error} />}
      {decided || error?.code !== 'not-found' ? null : <Gone />}
      <Compared comparison={value} decided={decided} onDecided={() => setDecided(true)} />
    </>
  );
}

function Gone(): VNode {
  return (
    <p>
      Most likely somebody has decided about it already: see the{' '}
      <a href={addressOf({ view: 'history' })}>history</a>.
    </p>
  );
}

interface ComparedProps {
  readonly comparison: Comparison;
  readonly decided: boolean;
  readonly onDecided: () => void;
}

function Compared({ comparison, decided, onDecided }: ComparedProps): VNode {
  const { endpoint, ref, sentence, notes } = comparison;
  return (
    <Page
      title={<Wire text={endpoint} />}
      lead={
        <>
          <a href={addressOf({ view: 'endpoint', endpoint })}>All about this server</a>
          <span class="quiet"> Reference {ref}</span>
        </>
      }
    >
      <section class="verdict tone-bad" aria-label="What happened">
        <Icon name="refused" />
        <div>
          <h2>
            <Wire text={sentence} />
          </h2>
          {notes.map((note) => (
            <p key={note}>
              <Wire text={note} />
            </p>
          ))}
          <Circumstances comparison={comparison} />
        </div>
      </section>
      <Section title="Known and presented">
        <ComparisonTable comparison={comparison} />
      </Section>
      <div class="pair">
        <Faults comparison={comparison} />
        <Corroborated comparison={comparison} />
      </div>
      <Decide comparison={comparison} onDecided={onDecided} />
      {decided ? null : <Why target={ref} turn={0} />}
    </Page>
  );
}

function Circumstances({ comparison }: { readonly comparison: Comparison }): VNode {
  const { now } = useDesk();
  const { state, reason, firstSeen, lastSeen, seenCount } = comparison;
  return (
    <p class="quiet">
      Refused as <code>{reason}</code>. Seen {seenCount === 1 ? 'once' : `${seenCount} times`}, first{' '}
      <When at={firstSeen} now={now} />
      {seenCount === 1 ? null : (
        <>
          , last <When at={lastSeen} now={now} />
        </>
      )}
      . The server is <Badge sign={states[state]} />
    </p>
  );
}

// The refused keys of an endpoint that wait for a person.

import type { VNode } from 'preact';
import { useDesk } from '../data/desk.ts';
import type { CandidateRow, PinsRow } from '../wire.ts';
import { addressOf } from '../words/route.ts';
import { Icon } from './icon.tsx';
import { RejectButton } from './reject-button.tsx';
import { When, Wire } from './words.tsx';

interface CandidatesProps {
  readonly pins: PinsRow;
  readonly onChanged: () => void;
}

export function Candidates({ pins, onChanged }: CandidatesProps): VNode | null {
  if (pins.candidates.length === 0) return null;
  const newest = pins.candidates.toSorted((one, other) => other.lastSeen.localeCompare(one.lastSeen));
  return (
    <section class="concerns" aria-label="Refused keys that wait for a decision">
      {newest.map((candidate) => (
        <Candidate endpoint={pins.endpoint} candidate={candidate} onChanged={onChanged} key={candidate.ref} />
      ))}
    </section>
  );
}

interface CandidateProps {
  readonly endpoint: string;
  readonly candidate: CandidateRow;
  readonly onChanged: () => void;
}

function Candidate({ endpoint, candidate, onChanged }: CandidateProps): VNode {
  const { now, mayWrite } = useDesk();
  const { ref, reason, certificate, caValid, seenCount } = candidate;
  return (
    <article class="concern tone-bad">
      <Icon name="alert" />
      <div>
        <h2>Refused key {ref} waits for your decision</h2>
        <p>
          <Wire
            text={`${reason}; ${caValid ? 'a trusted CA vouches for it' : 'no trusted CA vouches for it'}; issued by ${certificate.issuer}.`}
          />
        </p>
        <p class="quiet">
          Seen {seenCount === 1 ? 'once' : `${seenCount} times`}, last{' '}
          <When at={candidate.lastSeen} now={now} />
        </p>
      </div>
      <div class="actions">
        <a class="button primary" href={addressOf({ view: 'decision', reference: ref })}>
          Compare and decide
          <Icon name="arrow" />
        </a>
        {mayWrite ? (
          <RejectButton endpoint={endpoint} spki={candidate.spki} name={`key ${ref}`} onChanged={onChanged} />
        ) : null}
      </div>
    </article>
  );
}

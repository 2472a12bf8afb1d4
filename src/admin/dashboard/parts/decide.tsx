// The two ways out of a refusal, and the third: to leave it. Asking comes first, with words to send.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useDesk } from '../data/desk.ts';
import { usePolled } from '../data/use-polled.ts';
import type { Comparison, PinsRow } from '../wire.ts';
import { commandLine } from '../words/cli.ts';
import type { Scene } from '../words/choices.ts';
import { addressOf } from '../words/route.ts';
import { ApproveForm } from './approve-form.tsx';
import { CommandLine, CopyButton } from './command-line.tsx';
import { Section } from './page.tsx';
import { RejectButton } from './reject-button.tsx';
import { Wire } from './words.tsx';

interface DecideProps {
  readonly comparison: Comparison;
  readonly onDecided: () => void;
}

interface WayProps extends DecideProps {
  /** It was taken: its answer stands there. */
  readonly isDone: boolean;
}

export function Decide({ comparison, onDecided }: DecideProps): VNode {
  const { mayWrite, endpoints } = useDesk();
  const [way, setWay] = useState<'approved' | 'rejected' | null>(null);
  const decided = (chosen: 'approved' | 'rejected'): void => {
    setWay(chosen);
    endpoints.refresh();
    onDecided();
  };
  return (
    <div class={way === null ? 'decide' : 'decide decided'}>
      {way === null ? <AskFirst comparison={comparison} /> : null}
      {!mayWrite ? <WithoutRights comparison={comparison} /> : null}
      {mayWrite && way !== 'rejected' ? (
        <ItIsRight comparison={comparison} isDone={way !== null} onDecided={() => decided('approved')} />
      ) : null}
      {mayWrite && way !== 'approved' ? (
        <ItIsNot comparison={comparison} isDone={way !== null} onDecided={() => decided('rejected')} />
      ) : null}
      {way === null ? null : (
        <p>
          <a href={addressOf({ view: 'overview' })}>Back to the overview</a>, or to{' '}
          <a href={addressOf({ view: 'endpoint', endpoint: comparison.endpoint })}>the page of this server</a>
          , where it can be undone.
        </p>
      )}
    </div>
  );
}

function AskFirst({ comparison }: { readonly comparison: Comparison }): VNode {
  const { endpoint, proof } = comparison;
  return (
    <Section title="1. Ask">
      <p>
        <Wire text={proof} />
      </p>
      <p>
        Ask whoever runs the server, by another way than this server: a telephone, a message, their own web
        site over another network. Only a fingerprint that came from there decides anything.
      </p>
      <CopyButton text={questionFor(endpoint)} word="Copy a question to send" />
      <details>
        <summary>I run this server myself</summary>
        <p>Read the fingerprint on the server, in a shell there:</p>
        <pre tabIndex={0}>
          <code>openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE.pem</code>
        </pre>
        <p>
          or <code>letterlock cert CERTIFICATE.pem</code>, which prints the one of the key.
        </p>
      </details>
    </Section>
  );
}

const questionFor = (endpoint: string): string =>
  `Hello, has the TLS certificate or key of ${endpoint} been changed? If so, please tell me the SHA-256 fingerprint of the new one, ` +
  'as this prints it on the server: openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE.pem';

function ItIsRight({ comparison, isDone, onDecided }: WayProps): VNode {
  const scene = useScene(comparison);
  const { spki, sha256 } = comparison.presented;
  return (
    <Section title={isDone ? 'Decided: approved' : '2. It was changed: approve'}>
      {scene === null ? null : (
        <ApproveForm
          endpoint={comparison.endpoint}
          presented={{ spki, sha256 }}
          scene={scene}
          offerUnreject={false}
          onChanged={onDecided}
        />
      )}
    </Section>
  );
}

/** What the choices depend on, from the record of the endpoint and its settings; null until they are known. */
function useScene({ endpoint, state, caValid, presented }: Comparison): Scene | null {
  const { api, endpoints } = useDesk();
  const pins = usePolled<PinsRow>(api, `pins/${encodeURIComponent(endpoint)}`, null);
  if (endpoints.value === null || (pins.value === null && pins.error === null)) return null;
  const row = endpoints.value.find((one) => one.endpoint === endpoint);
  const all = pins.value?.pins ?? [];
  const own = all.filter(({ spki }) => spki === presented.spki);
  return {
    policy: row?.policy ?? null,
    caValid,
    byCa: state === 'ca',
    hasOthers: all.some(({ live, spki }) => live && spki !== presented.spki),
    hasEnded: own.length > 0 && own.every(({ live }) => !live),
    hasConfigPins: all.some(({ origin }) => origin === 'config'),
  };
}

function ItIsNot({ comparison, isDone, onDecided }: WayProps): VNode {
  const { endpoint, presented, ref } = comparison;
  return (
    <Section title={isDone ? 'Decided: rejected' : '3. It was not: reject, or leave it'}>
      <p>
        Reject it when the operator knows nothing of it: it is never accepted again. When you are not sure,
        leave it: the server stays refused, and no pin is lost.
      </p>
      <div class="actions">
        <RejectButton endpoint={endpoint} spki={presented.spki} name={`key ${ref}`} onChanged={onDecided} />
      </div>
    </Section>
  );
}

function WithoutRights({ comparison: { endpoint } }: { readonly comparison: Comparison }): VNode {
  const line = commandLine({
    command: 'approve',
    endpoint,
    expect: '',
    forMs: null,
    as: null,
    keep: false,
    endOld: false,
    unreject: false,
  });
  return (
    <Section title="2. Decide">
      <p>
        This page only shows. Decide on the command line, or open it with{' '}
        <code>letterlock dashboard --admin</code>.
      </p>
      <CommandLine line={line} />
    </Section>
  );
}

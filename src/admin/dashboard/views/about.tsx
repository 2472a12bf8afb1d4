// What runs here, the pin store, and the buttons of the daemon as a whole: reload and verify.

import type { ComponentChildren, VNode } from 'preact';
import { useDesk } from '../data/desk.ts';
import { useOrder } from '../data/use-order.ts';
import { Icon } from '../parts/icon.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Day, Empty, Wire } from '../parts/words.tsx';
import type { ReloadShape, StatusShape, VerifyShape } from '../wire.ts';

export function AboutView(): VNode {
  const { status, mayWrite } = useDesk();
  return (
    <Page title="About" lead="The program behind this page, and where it keeps what it knows.">
      {status.value === null ? <Empty>Asking letterlock…</Empty> : <Facts status={status.value} />}
      {mayWrite ? <Reload /> : null}
      {mayWrite ? <Verify /> : null}
      <Section title="Words">
        <p>
          <strong>CA-verified</strong> means that a certificate authority this machine trusts vouches for the
          server. <strong>Pinned</strong> means that letterlock remembers its key and takes no other; nobody
          else vouches for it. A pinned server is never shown as a verified one.
        </p>
      </Section>
    </Page>
  );
}

function Facts({ status }: { readonly status: StatusShape }): VNode {
  const { store } = status;
  return (
    <div class="pair">
      <Section title="Program">
        <dl class="facts-list">
          <Fact name="Version">{status.version}</Fact>
          <Fact name="Running since">
            <Day at={status.startedAt} />
          </Fact>
          <Fact name="Process">
            {status.pid}, user {status.user}
          </Fact>
          <Fact name="Metrics">{status.metrics ?? 'off'}</Fact>
        </dl>
      </Section>
      <Section title="Pin store">
        <dl class="facts-list">
          <Fact name="State">
            <span class={store.state === 'good' ? 'state-good' : 'state-bad'}>
              <Icon name={store.state === 'good' ? 'check' : 'broken'} /> {store.state}
            </span>
          </Fact>
          {store.detail === null ? null : (
            <Fact name="Detail">
              <Wire text={store.detail} />
            </Fact>
          )}
          <Fact name="Kept by">
            {store.backend}, generation {store.generation}
          </Fact>
          <Fact name="Records">{store.records}</Fact>
          <Fact name="Folder">
            <code>{status.stateDirectory}</code>
          </Fact>
        </dl>
      </Section>
    </div>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Reload(): VNode {
  const { api } = useDesk();
  const { busy, answer, error, give } = useOrder<ReloadShape>();
  return (
    <Section title="Configuration">
      <p>
        Reads the configuration again: the whole new one or, when it has problems, the old one. Open sessions
        go on.
      </p>
      <div class="actions">
        <button
          type="button"
          class="button"
          disabled={busy}
          onClick={() => void give(() => api.tell<ReloadShape>('reload', null))}
        >
          <Icon name="reload" />
          {busy ? 'Reading…' : 'Reload the configuration'}
        </button>
      </div>
      <ErrorNotice error={error} />
      {answer === null ? null : <ReloadAnswer answer={answer} />}
    </Section>
  );
}

function ReloadAnswer({ answer }: { readonly answer: ReloadShape }): VNode {
  return (
    <div class={`notice tone-${answer.reloaded ? 'good' : 'bad'}`} role="status">
      <Icon name={answer.reloaded ? 'check' : 'alert'} />
      <div>
        <p>
          {answer.reloaded ? 'The new configuration is in force.' : 'The old configuration stays in force:'}
        </p>
        {answer.problems.map((problem) => (
          <p key={JSON.stringify(problem)}>
            <Wire text={problemText(problem)} />
          </p>
        ))}
      </div>
    </div>
  );
}

function problemText({ source, line, column, message, suggestion }: ReloadShape['problems'][number]): string {
  const place = line === null ? source : `${source}:${line}:${column ?? 1}`;
  return `${place}: ${message}${suggestion === null ? '' : ` (${suggestion})`}`;
}

function Verify(): VNode {
  const { api } = useDesk();
  const { busy, answer, error, give } = useOrder<VerifyShape>();
  return (
    <Section title="Audit">
      <p>Goes through the pin store and the chain of the audit log, entry by entry.</p>
      <div class="actions">
        <button
          type="button"
          class="button"
          disabled={busy}
          onClick={() => void give(() => api.tell<VerifyShape>('verify', null))}
        >
          <Icon name="check" />
          {busy ? 'Verifying…' : 'Verify the store'}
        </button>
      </div>
      <ErrorNotice error={error} />
      {answer === null ? null : (
        <div class={`notice tone-${answer.ok ? 'good' : 'bad'}`} role="status">
          <Icon name={answer.ok ? 'check' : 'broken'} />
          <div>
            <p>
              {answer.ok ? `All is in order: ${answer.auditEntries} audit entries.` : 'Something is wrong:'}
            </p>
            {answer.problems.map((problem) => (
              <p key={problem}>
                <Wire text={problem} />
              </p>
            ))}
          </div>
        </div>
      )}
    </Section>
  );
}

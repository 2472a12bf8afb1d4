// Asks a server now, in one handshake. A probe never pins: what it finds shows in the rows a moment later.

import type { VNode } from 'preact';
import { useDesk } from '../data/desk.ts';
import { useOrder } from '../data/use-order.ts';
import type { ProbeShape } from '../wire.ts';
import { Icon } from './icon.tsx';
import { Wire } from './words.tsx';

export function ProbeButton({ endpoint }: { readonly endpoint: string }): VNode {
  const { api, endpoints, say } = useDesk();
  const { busy, answer, error, give } = useOrder<ProbeShape>();
  const probe = async (): Promise<void> => {
    const found = await give(() => api.tell<ProbeShape>('probes', { endpoint }));
    if (found === null) return;
    endpoints.refresh();
    say(`Probe of ${endpoint}: ${resultText(found)}`);
  };
  return (
    <span class="probe">
      <button
        type="button"
        class="button"
        disabled={busy}
        onClick={() => void probe()}
        aria-label={`Probe now: ${endpoint}`}
      >
        <Icon name="probe" />
        {busy ? 'Asking…' : 'Probe now'}
      </button>
      {answer === null ? null : <span class="quiet">{resultText(answer)}</span>}
      {error === null ? null : (
        <span class="trouble" role="alert">
          <Wire text={error.message} />
        </span>
      )}
    </span>
  );
}

function resultText({ result, reason, seconds }: ProbeShape): string {
  const took = `${Math.round(seconds * 1000)} ms`;
  return result === 'accepted' ? `accepted, ${took}` : `${result}: ${reason ?? 'no reason'}, ${took}`;
}

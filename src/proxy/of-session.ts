// What happens while a client waits carries the name of its connection, also where it is told by what knows of no
// client: a dial, a handshake, a look-up. What happens for nobody (connections kept ready, probes) carries none.

import type { ConnectionId } from './connection-id.ts';
import type { Listener, ProxyEvent } from './events.ts';

/** A listener that names this session in what is told of it. */
export const ofSession =
  (session: ConnectionId, on: Listener<ProxyEvent>): Listener<ProxyEvent> =>
  (event) => {
    const { type } = event;
    const named =
      type === 'dialled' || type === 'tlsa-looked-up' || type === 'handshaken' || type === 'corroborated';
    on(named ? { ...event, session } : event);
  };

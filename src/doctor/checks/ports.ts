// Can every place be bound that is listened on: not taken by somebody else, not forbidden?

import { finding, type Finding } from '../finding.ts';

export interface PlaceFacts {
  /** Of a route, or of `metrics`. */
  readonly what: string;
  /** `localhost:1143`, `unix:/run/mail.sock`, `fd:imap`. */
  readonly place: string;
  readonly state:
    | {
        readonly kind: 'free';
        /** Its port needs a privilege, and root tried it. */
        readonly byRoot: boolean;
      }
    /** The running daemon listens there. */
    | { readonly kind: 'ours' }
    /** Sockets of the service manager are not there before it starts letterlock. */
    | { readonly kind: 'passed' }
    | {
        readonly kind: 'refused';
        readonly message: string;
        readonly hint: string | null;
        /** letterlock would start all the same. */
        readonly optional: boolean;
      };
}

export interface PortFacts {
  readonly places: readonly PlaceFacts[];
}

export function checkPorts({ places }: PortFacts): readonly Finding[] {
  const refused = places.flatMap(({ what, place, state }): readonly Finding[] => {
    if (state.kind !== 'refused') return [];
    return [
      finding('ports', state.optional ? 'warning' : 'fault', {
        message: `${what}: ${state.message}`,
        meaning: state.optional
          ? `letterlock starts without ${place}.`
          : 'letterlock does not start, or does not take the new configuration: all places are bound, or none.',
        ...(state.hint === null ? {} : { advice: state.hint }),
      }),
    ];
  });
  return [...refused, ...places.flatMap(privileged), ...good(places)];
}

function privileged({ what, place, state }: PlaceFacts): readonly Finding[] {
  if (state.kind !== 'free' || !state.byRoot) return [];
  return [
    finding('ports', 'note', {
      message: `${what}: ${place} needs a privilege that root has`,
      meaning: 'Another user needs to be given it.',
      advice: 'AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit, or a port above 1023.',
    }),
  ];
}

function good(places: readonly PlaceFacts[]): readonly Finding[] {
  const of = (kind: PlaceFacts['state']['kind']): string =>
    places
      .filter(({ state }) => state.kind === kind)
      .map(({ place }) => place)
      .join(', ');
  const parts = [
    ['free', of('free')],
    ['bound by the running daemon', of('ours')],
    ['given by the service manager', of('passed')],
  ].flatMap(([what, list]) => (list === '' ? [] : [`${list ?? ''} (${what ?? ''})`]));
  return parts.length === 0 ? [] : [finding('ports', 'ok', { message: parts.join('; ') })];
}

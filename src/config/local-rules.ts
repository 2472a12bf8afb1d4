// What is wrong with the client's side of one route: where it listens, whom it serves, its TLS.

import { maxSocketPathBytes } from '../admin/socket-path.ts';
import type { ConfigProblem } from '../config.ts';
import type { Draft } from './drafts.ts';
import { isOpen, overlaps, placeText } from './listen-place.ts';
import { problemAt } from './problem.ts';

export const localProblems = (draft: Draft): readonly ConfigProblem[] => [
  ...openPlaces(draft),
  ...placesTwice(draft),
  ...longPaths(draft),
  ...userChecks(draft),
  ...clientTlsProblems(draft),
  ...refusalProblems(draft),
];

function openPlaces({ raw, listen, clientTls, place }: Draft): readonly ConfigProblem[] {
  if (raw.unsafeListen === true || clientTls !== 'off') return [];
  return listen
    .filter((each) => isOpen(each.place))
    .map((each) =>
      problemAt(
        place(...each.path),
        `${placeText(each.place)} can be reached from other machines, and the client's password would cross the network in clear`,
        `listen on localhost${each.place.kind === 'tcp' ? `:${each.place.port}` : ''}, set clientTls, or add unsafeListen: true to this route`,
      ),
    );
}

function placesTwice({ listen, place }: Draft): readonly ConfigProblem[] {
  return listen.flatMap((each, at) => {
    const first = listen.slice(0, at).find((other) => overlaps(other.place, each.place));
    if (first === undefined) return [];
    const message = `${placeText(each.place)} is taken by ${placeText(first.place)} of the same route`;
    return [problemAt(place(...each.path), message, 'keep one of the two')];
  });
}

function longPaths({ listen, place }: Draft): readonly ConfigProblem[] {
  return listen.flatMap((each) => {
    if (each.place.kind !== 'unix') return [];
    const bytes = Buffer.byteLength(each.place.path);
    if (bytes <= maxSocketPathBytes) return [];
    const message = `the path of the socket has ${bytes} bytes, ${maxSocketPathBytes} are possible: ${each.place.path}`;
    return [problemAt(place(...each.path), message, 'give a shorter one: unix:/run/…')];
  });
}

/** The uid of a peer is only known of loopback connections; a socket file has a better way. */
function userChecks({ raw, listen, place }: Draft): readonly ConfigProblem[] {
  if (raw.allowUsers === undefined) return [];
  return listen.flatMap((each) => {
    if (each.place.kind === 'unix')
      return [
        problemAt(
          place('allowUsers'),
          `allowUsers does not work on ${placeText(each.place)}`,
          'say who may connect with the mode and group of the socket: listen: {unix: PATH, mode: "0660", group: GROUP}',
        ),
      ];
    if (!isOpen(each.place)) return [];
    return [
      problemAt(
        place('allowUsers'),
        `allowUsers does not work on ${placeText(each.place)}: users of other machines have no uid here`,
        'listen on a loopback address, or remove the line',
      ),
    ];
  });
}

function clientTlsProblems({ raw, scheme, clientTls, place }: Draft): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (clientTls === 'starttls' && scheme.protocol === 'tls')
    problems.push(problemAt(place('clientTls'), 'tls:// has no STARTTLS', 'use clientTls: implicit, or off'));
  if (typeof raw.clientTls !== 'object') return problems;
  const { minVersion, certificate, key } = raw.clientTls;
  if (clientTls === 'off' && (minVersion ?? certificate ?? key) !== undefined)
    problems.push(
      problemAt(
        place('clientTls'),
        'clientTls is off, so that minVersion, certificate and key mean nothing',
        'set mode: starttls or implicit, or write clientTls: off',
      ),
    );
  if ((certificate === undefined) !== (key === undefined)) {
    const [given, missing] = key === undefined ? ['certificate', 'key'] : ['key', 'certificate'];
    problems.push(
      problemAt(
        place('clientTls', given),
        `clientTls.${given} is given without ${missing}`,
        `add ${missing}: FILE, or remove both to use a certificate of the local CA`,
      ),
    );
  }
  return problems;
}

function refusalProblems({ raw, scheme, place }: Draft): readonly ConfigProblem[] {
  const { protocol } = scheme;
  const problems: ConfigProblem[] = [];
  if (raw.refusal === 'login' && protocol !== 'imap')
    problems.push(problemAt(place('refusal'), 'refusal: login is for IMAP only', 'remove the line'));
  if (raw.refusalCode !== undefined && protocol !== 'smtp' && protocol !== 'lmtp')
    problems.push(
      problemAt(place('refusalCode'), 'refusalCode is for SMTP and LMTP only', 'remove the line'),
    );
  return problems;
}

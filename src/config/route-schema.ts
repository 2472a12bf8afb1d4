// What a route may hold. Of a union the mapping stands first: what is wrong inside a mapping is then told of the
// mapping, not of the word that could have stood there instead.

import * as z from 'zod/mini';
import { canonicalHost } from '../endpoint.ts';
import { clientTlsVersions } from '../proxy/route.ts';
import { daneUses, firstUses, policies } from '../trust/evidence.ts';
import { parseFingerprint } from '../trust/fingerprint.ts';
import { parseWatch } from './duration.ts';
import { filePath, flag, mapping, readable, whole } from './fields.ts';
import { parsePlace, readSocketMode, readSocketPath } from './listen-place.ts';
import { parseProxy } from './proxy-url.ts';
import { UnusableValue } from './unusable.ts';
import { parseAddress, parseUpstream } from './upstream.ts';
import { parseVantage } from './vantages.ts';

function readPin(text: string): void {
  const found = parseFingerprint(text);
  if (found === null)
    throw new UnusableValue(
      `"${text}" is not a key fingerprint`,
      'write sha256//BASE64=, as letterlock cert FILE shows it',
    );
  if (found.kind === 'either') {
    const hint = 'write the fingerprint of the key, sha256//BASE64=, as letterlock cert FILE shows it';
    throw new UnusableValue(`"${text}" may be the fingerprint of a certificate; pins name keys`, hint);
  }
}

export const pins = z
  .array(readable(readPin))
  .check(z.maxLength(64))
  .check(z.meta({ description: 'Keys to accept, sha256//BASE64=.' }));

/** The settings a route and the top level share. */
export const common = {
  trust: z
    .enum(policies)
    .check(z.meta({ description: 'Trust policy: what a key must show to be accepted.' })),
  firstUse: z
    .enum(firstUses)
    .check(z.meta({ description: 'What happens to the first key of an endpoint that no CA vouches for.' })),
  dane: z.enum(daneUses).check(
    z.meta({
      description:
        'With trust: auto, whether TLSA records proven by DNSSEC count like a CA, and against a key they do not name; needs resolver.',
    }),
  ),
  caFile: z
    .union([filePath, z.array(filePath).check(z.minLength(1))], {
      error: 'must be a path or a list of paths',
    })
    .check(
      z.meta({
        description: 'Trust anchors instead of the system ones; the word system in a list adds those.',
      }),
    ),
  crlFile: z
    .union([filePath, z.array(filePath).check(z.minLength(1), z.maxLength(16))], {
      error: 'must be a path or a list of paths',
    })
    .check(
      z.meta({
        description:
          'Revocation lists (CRL) of the CAs, PEM or DER; read again when they change. A certificate one of them names is refused, pinned or not.',
      }),
    ),
  watch: z.nullable(readable(parseWatch)).check(
    z.meta({
      description:
        'Ask the servers without a client, so often at least (30m, 6h, 1d; 5m to 30d), and tell what was seen; no key is pinned by it. off or null: only when asked to; default off.',
      examples: ['6h', '30m', 'off'],
    }),
  ),
  limits: mapping({
    connections: whole(1, 100_000, 'Open client connections of one route.'),
    dialSeconds: whole(1, 300, 'Connecting to the server, name look-up included, in total.'),
    handshakeSeconds: whole(1, 300, 'The TLS handshake, in total.'),
    greetingSeconds: whole(
      1,
      600,
      'The greeting of the server, and with STARTTLS all that is said before TLS, in total.',
    ),
    idleMinutes: whole(1, 1440, 'A session without a byte either way is closed after this.'),
    preTlsBytes: whole(1024, 1_048_576, 'All bytes a server may send before TLS.'),
    lineBytes: whole(512, 65_536, 'One line of a server before TLS.'),
  }),
};

/** More than any route needs, and few enough to be shown in one line. */
const maxEntries = 16;

const socketFile = z.required(
  mapping({
    unix: readable(readSocketPath).check(
      z.meta({
        description: 'Path of a socket file; in a file, relative to that file.',
      }),
    ),
    mode: readable(readSocketMode).check(
      z.meta({
        description: 'File mode in octal, in quotes; default "0600".',
      }),
    ),
    group: z
      .string()
      .check(z.minLength(1))
      .check(z.meta({ description: 'Group that owns the socket file.' })),
  }),
  { unix: true },
);
const listenPlace = readable(parsePlace).check(
  z.meta({
    description: 'HOST:PORT, unix:PATH or fd:NAME.',
    examples: ['localhost:1143', 'unix:/run/mail.sock', 'fd:imap'],
  }),
);
const listenForms = 'must be HOST:PORT, unix:PATH, fd:NAME or {unix, mode, group}';

const upstream = readable(parseUpstream).check(
  z.meta({
    description: 'SCHEME://HOST[:PORT] of a mail server.',
    examples: ['imaps://imap.example.org', 'submission://mail.example.org:587'],
  }),
);

const address = readable((text) => parseAddress(text, 1)).check(
  z.meta({ description: 'HOST[:PORT] to connect to.' }),
);

const clientTlsMode = z.enum(['off', 'starttls', 'implicit']);

const clientTls = z.required(
  mapping({
    mode: clientTlsMode.check(z.meta({ description: 'Whether and when the mail client speaks TLS.' })),
    minVersion: z
      .enum(clientTlsVersions)
      .check(z.meta({ description: 'Oldest TLS version a client may speak; default TLSv1.2.' })),
    certificate: filePath.check(
      z.meta({
        description: 'PEM file with a certificate of your own and its chain; default one of the local CA.',
      }),
    ),
    key: filePath.check(z.meta({ description: 'PEM file with the key of that certificate.' })),
  }),
  { mode: true },
);

const proxyUrl = readable(parseProxy).check(
  z.meta({
    description:
      'socks5:// or http:// and [USER:PASSWORD@]HOST[:PORT], ports 1080 and 8080 by default; percent-encode what is no letter or digit.',
  }),
);

const vantageList = z
  .array(
    z.union([whole(1, 65_535, 'Another port of the same host.'), readable(parseVantage)], {
      error: 'must be a port, SCHEME:PORT, addresses, socks5://HOST[:PORT] or http://HOST[:PORT]',
    }),
  )
  .check(z.minLength(1), z.maxLength(8));

const routeFields = {
  name: z
    .string()
    .check(
      z.regex(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
        'must be 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first',
      ),
    )
    .check(
      z.meta({
        description: 'Unique name in logs and metrics; default scheme and local port, like imaps-1143.',
      }),
    ),
  listen: z
    .union(
      [
        socketFile,
        listenPlace,
        z
          .array(z.union([socketFile, listenPlace], { error: listenForms }))
          .check(z.minLength(1), z.maxLength(maxEntries)),
      ],
      { error: `${listenForms}, or a list of these` },
    )
    .check(
      z.meta({
        description:
          'Where the mail client connects: HOST:PORT (localhost is 127.0.0.1 and ::1), unix:PATH, fd:NAME (a socket of the service manager), or a list of these; default localhost and the usual local port.',
      }),
    ),
  allowUsers: z
    .array(
      z.union(
        [
          whole(0, 4_294_967_294, 'A uid.'),
          z
            .string()
            .check(z.minLength(1))
            .check(z.meta({ description: 'A user name.' })),
        ],
        {
          error: 'must be a user name or a uid',
        },
      ),
    )
    .check(z.minLength(1), z.maxLength(64))
    .check(
      z.meta({
        description:
          'Users of this machine, by name or uid, whose connections are served (Linux, loopback addresses); default all.',
      }),
    ),
  clientTls: z
    .union([clientTls, clientTlsMode], { error: 'must be off, starttls, implicit or {mode, …}' })
    .check(z.meta({ description: 'TLS between mail client and letterlock; default off.' })),
  unsafeListen: flag('Allow a plaintext listener that other machines can reach.'),
  upstream: z
    .union([upstream, z.array(upstream).check(z.minLength(1), z.maxLength(maxEntries))], {
      error: 'must be a URL or a list of URLs',
    })
    .check(
      z.meta({
        description:
          'SCHEME://HOST[:PORT] of the mail server; imaps, pop3s, submissions, sieves and tls speak TLS at once, imap, pop3, submission, lmtp and sieve require STARTTLS. Of a list, each is tried when those before it cannot be reached.',
      }),
    ),
  trust: common.trust,
  firstUse: common.firstUse,
  pins,
  dane: common.dane,
  caFile: common.caFile,
  crlFile: common.crlFile,
  handOver: flag(
    'A pinned key that signed the certificate of a new one hands over to it: the new one is pinned, the old one ends after 7 days.',
  ),
  continuity: z.enum(['leaf', 'anchor']).check(
    z.meta({
      description:
        "What is pinned under ca+tofu: the server's own key (leaf, the default) or that of the trust anchor its certificate leads to.",
    }),
  ),
  corroborate: z
    .union(
      [
        z.required(
          mapping({
            from: vantageList.check(z.meta({ description: 'Vantage points.' })),
            atLeast: whole(
              0,
              16,
              'So many must show the same key; default 1, 0 lets a first use through unseen.',
            ),
          }),
          { from: true },
        ),
        vantageList,
      ],
      { error: 'must be a list of ports, addresses and proxies, or {from, atLeast}' },
    )
    .check(
      z.meta({
        description:
          'Where a first use is looked at from before the key is pinned: other ports of the host (143, or imap:1143), the word addresses (other addresses of its name), socks5:// or http:// proxies.',
      }),
    ),
  address: z
    .union([address, z.array(address).check(z.minLength(1), z.maxLength(maxEntries))], {
      error: 'must be HOST[:PORT] or a list of these',
    })
    .check(
      z.meta({
        description:
          'HOST[:PORT] to connect to, or a list tried in order; the name of the upstream is still what is verified.',
      }),
    ),
  serverName: readable(canonicalHost).check(
    z.meta({
      description: 'The name to verify when it differs from the host of the upstream.',
    }),
  ),
  proxy: z
    .union(
      [
        z.required(
          mapping({
            url: proxyUrl,
            passwordFile: filePath.check(
              z.meta({
                description: 'File that holds the password of the user in the URL, and nothing else.',
              }),
            ),
          }),
          { url: true },
        ),
        proxyUrl,
      ],
      { error: 'must be socks5://HOST[:PORT], http://HOST[:PORT] or {url, passwordFile}' },
    )
    .check(
      z.meta({ description: 'SOCKS5 or HTTP CONNECT proxy on the way to the server; it sees TLS only.' }),
    ),
  clientCertificate: z
    .strictObject({
      certificate: filePath.check(z.meta({ description: 'PEM file with the certificate and its chain.' })),
      key: filePath.check(z.meta({ description: 'PEM file with its key.' })),
    })
    .check(z.meta({ description: 'Certificate shown to the server, once its key is known.' })),
  minVersion: z
    .enum(['TLSv1.2', 'TLSv1.3'])
    .check(z.meta({ description: 'Oldest TLS version spoken to the server; default TLSv1.2.' })),
  legacyServer: flag('Speak TLS 1.0 and weak ciphers to the server; it is accepted on a live pin only.'),
  warm: whole(0, 8, 'Verified and greeted connections kept ready for the next client; default 0.'),
  watch: common.watch,
  refusal: z
    .enum(['greeting', 'login'])
    .check(z.meta({ description: 'How an IMAP client is told of a refusal.' })),
  refusalCode: z
    .literal([421, 554])
    .check(
      z.meta({ description: 'SMTP and LMTP refusals: 421 lets a queue try again, 554 returns the mail.' }),
    ),
  limits: common.limits.check(
    z.meta({
      description: 'Limits of this route; what is left out comes from the top-level ones.',
    }),
  ),
};

export const routeSchema = z.required(mapping(routeFields), { upstream: true });

export type RawRoute = z.infer<typeof routeSchema>;

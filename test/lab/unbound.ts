// A validating resolver on loopback: Unbound, with zones of its own that ldns signs for this run. It asks nobody else, so
// every name outside its zones fails. Its trust anchors are the keys of the signed zones and nothing more.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './folder.ts';
import { accepts, freePorts } from './port.ts';
import { cleanEnvironment, run, start } from './run.ts';
import { until } from './wait.ts';

export interface Zone {
  readonly name: string;
  /** Lines of a zone file, relative names and no TTL. */
  readonly records: readonly string[];
  /** `tampered`: signed, and then changed. `plain`: not signed, and no trust anchor covers it. */
  readonly kind: 'signed' | 'tampered' | 'plain';
}

export interface Unbound {
  readonly host: string;
  /** UDP and TCP. */
  readonly port: number;
  /** TLS; shows the certificate it was given. */
  readonly tlsPort: number;
  /** Stops it; it may be stopped twice. */
  halt(): Promise<void>;
  /** Stops it and removes its files. */
  stop(): Promise<void>;
}

export const unboundPrograms = ['unbound', 'ldns-keygen', 'ldns-signzone'] as const;

const host = '127.0.0.1';

export async function startUnbound(
  zones: readonly Zone[],
  identity: { readonly certificate: string; readonly key: string },
): Promise<Unbound> {
  const folder = await temporaryFolder();
  const [port = 0, tlsPort = 0] = await freePorts(host, 2);
  const files = await Promise.all(zones.map((zone) => writeZone(folder.path, zone)));
  const file = join(folder.path, 'unbound.conf');
  await writeFile(file, configuration({ folder: folder.path, port, tlsPort, identity, zones: files }));
  const running = await start(['unbound', '-d', '-c', file], {
    env: cleanEnvironment(folder.path),
    cwd: folder.path,
  });
  const stop = async (): Promise<void> => {
    await running.stop();
    await folder.remove();
  };
  try {
    await until('unbound to listen', async () => {
      if (running.exit() !== null) throw new Error(`unbound ended (${running.exit()}): ${running.output()}`);
      return (await accepts(host, port)) && (await accepts(host, tlsPort));
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, port, tlsPort, halt: () => running.stop(), stop };
}

interface ZoneFiles {
  readonly name: string;
  readonly zone: string;
  /** The DS record that makes it trusted; null: nothing does. */
  readonly anchor: string | null;
}

async function writeZone(folder: string, { name, records, kind }: Zone): Promise<ZoneFiles> {
  const zone = join(folder, `${name}.zone`);
  const head = [
    '$TTL 60',
    `$ORIGIN ${name}.`,
    '@ SOA ns host 1 3600 600 86400 30',
    '@ NS ns',
    'ns A 127.0.0.1',
  ];
  await writeFile(zone, `${[...head, ...records].join('\n')}\n`);
  if (kind === 'plain') return { name, zone, anchor: null };
  const signing = await keyPair(folder, name, ['-k']);
  const zoneKey = await keyPair(folder, name, []);
  const signed = `${zone}.signed`;
  await ldns(folder, ['ldns-signzone', '-f', signed, zone, zoneKey, signing]);
  if (kind === 'tampered') await tamper(signed);
  return { name, zone: signed, anchor: join(folder, `${signing}.ds`) };
}

/** The base name of its files. */
async function keyPair(folder: string, zone: string, options: readonly string[]): Promise<string> {
  const { stdout } = await ldns(folder, ['ldns-keygen', '-a', 'ECDSAP256SHA256', ...options, zone]);
  return stdout.toString('latin1').trim();
}

async function ldns(folder: string, command: readonly string[]) {
  const ran = await run(command, { cwd: folder, env: cleanEnvironment(folder) });
  if (ran.exit !== 0) throw new Error(`${command.join(' ')}: ${ran.shown}`);
  return ran;
}

/** Turns a digit of every TLSA record; its signature stays that of the old one. */
async function tamper(file: string): Promise<void> {
  const text = await readFile(file, 'latin1');
  const turned = text.replace(/(\tTLSA\t3 1 1 )([0-9a-f])/gi, (_, head: string, digit: string) =>
    digit === '0' ? `${head}1` : `${head}0`,
  );
  if (turned === text) throw new Error(`${file} holds no TLSA record`);
  await writeFile(file, turned);
}

const configuration = (facts: {
  readonly folder: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly identity: { readonly certificate: string; readonly key: string };
  readonly zones: readonly ZoneFiles[];
}): string => `server:
  directory: "${facts.folder}"
  chroot: ""
  username: ""
  pidfile: ""
  do-daemonize: no
  use-syslog: no
  logfile: ""
  do-ip6: no
  interface: ${host}@${facts.port}
  interface: ${host}@${facts.tlsPort}
  tls-port: ${facts.tlsPort}
  tls-service-pem: "${facts.identity.certificate}"
  tls-service-key: "${facts.identity.key}"
  module-config: "validator iterator"
  # The usual answer for .test is that there is no such thing.
  local-zone: "test." nodefault
${facts.zones.flatMap(({ anchor }) => (anchor === null ? [] : [`  trust-anchor-file: "${anchor}"\n`])).join('')}${facts.zones
  .map(
    ({ name, zone }) => `auth-zone:
  name: "${name}."
  zonefile: "${zone}"
  for-upstream: yes
  for-downstream: no
`,
  )
  .join('')}remote-control:
  control-enable: no
`;

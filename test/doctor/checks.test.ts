// What each check makes of what was seen: a row a case, good ones beside bad ones.

import { describe, expect, it } from 'vitest';
import { checkAnchors, type AnchorSource } from '../../src/doctor/checks/anchors.ts';
import { checkClock, type ClockFacts } from '../../src/doctor/checks/clock.ts';
import { checkConfiguration, type ConfigurationFacts } from '../../src/doctor/checks/configuration.ts';
import { checkContainer, type ContainerFacts } from '../../src/doctor/checks/container.ts';
import { checkDaemon, type DaemonFacts } from '../../src/doctor/checks/daemon.ts';
import { checkProcess, type ProcessFacts } from '../../src/doctor/checks/process.ts';
import { checkDescriptors, type DescriptorFacts } from '../../src/doctor/checks/descriptors.ts';
import { checkDisk, type DiskFacts } from '../../src/doctor/checks/disk.ts';
import { checkDns, type DnsFacts } from '../../src/doctor/checks/dns.ts';
import { checkEnvironment, type EnvironmentFacts } from '../../src/doctor/checks/environment.ts';
import { checkIpv6, type Ipv6Facts } from '../../src/doctor/checks/ipv6.ts';
import { checkNode, type NodeFacts } from '../../src/doctor/checks/node.ts';
import { checkPermissions, type FileFacts } from '../../src/doctor/checks/permissions.ts';
import { checkPorts, type PlaceFacts } from '../../src/doctor/checks/ports.ts';
import { checkStore, type StoreFacts } from '../../src/doctor/checks/store.ts';
import { checkUpstreams, type UpstreamFacts } from '../../src/doctor/checks/upstreams.ts';
import { checkNames, exitFor, finding, levels, type Finding, type Level } from '../../src/doctor/finding.ts';

const now = Date.parse('2026-11-30T12:00:00Z');
const day = 86_400_000;
const year = 365.25 * day;

/** What is expected: the levels of all findings, and words that stand in them. */
type Expected = readonly [readonly Level[], ...(readonly RegExp[])];

function expectFindings(found: readonly Finding[], [wanted, ...words]: Expected): void {
  expect(found.map(({ level }) => level)).toEqual(wanted);
  const text = found
    .map(({ message, meaning, advice }) => `${message}\n${meaning ?? ''}\n${advice ?? ''}`)
    .join('\n');
  for (const word of words) expect(text).toMatch(word);
  for (const { level, meaning, advice, message } of found) {
    expect(message).not.toMatch(/\n|undefined|null|NaN/);
    // Who is told of something bad is told what to do or what it means.
    if (level !== 'ok' && level !== 'note') expect(meaning ?? advice, message).not.toBe(null);
    if (level === 'ok') expect([meaning, advice]).toEqual([null, null]);
  }
}

describe('configuration', () => {
  const base: ConfigurationFacts = {
    file: 'l.yaml',
    lookedAt: ['/etc/l.yaml'],
    routes: 2,
    problems: [],
    warnings: [],
  };
  it.each<readonly [string, Partial<ConfigurationFacts>, Expected]>([
    ['good', {}, [['ok'], /l\.yaml is good: 2 routes/]],
    ['one route', { routes: 1 }, [['ok'], /1 route$/m]],
    ['with a warning', { warnings: [{ text: 'l.yaml:1:1: odd', advice: null }] }, [['warning', 'ok'], /odd/]],
    [
      'wrong in two places',
      {
        problems: [
          { text: 'l.yaml:1:1: bad', advice: 'do this' },
          { text: 'l.yaml:2:1: worse', advice: null },
        ],
      },
      [['fault', 'fault'], /do this/, /refused/],
    ],
    ['none at all', { file: null, routes: 0 }, [['note'], /\/etc\/l\.yaml/, /letterlock run/]],
    ['routes from elsewhere', { file: null, routes: 1 }, [['ok'], /what was given is good/]],
    ['without a route', { routes: 0 }, [['warning'], /no route/]],
  ])('%s', (_, facts, expected) => expectFindings(checkConfiguration({ ...base, ...facts }), expected));
});

describe('environment', () => {
  it.each<readonly [string, EnvironmentFacts, Expected]>([
    ['clean', { ambient: [], refused: null }, [['ok']]],
    [
      'variables',
      { ambient: ['NODE_EXTRA_CA_CERTS'], refused: null },
      [['note'], /ignored: NODE_EXTRA_CA_CERTS/],
    ],
    [
      'a switch',
      { ambient: [], refused: { message: 'Node was started with --tls-keylog', hint: 'take it out' } },
      [['fault'], /--tls-keylog/, /take it out/],
    ],
  ])('%s', (_, facts, expected) => expectFindings(checkEnvironment(facts), expected));
});

describe('node', () => {
  const base: NodeFacts = { node: '24.1.0', openssl: '3.5.0', sharedOpenssl: false, now };
  it.each<readonly [string, Partial<NodeFacts>, Expected]>([
    ['maintained', {}, [['ok'], /Node 24\.1\.0 with OpenSSL 3\.5\.0, maintained until 2028-04-30/]],
    ['20, after its end', { node: '20.20.2' }, [['warning'], /ended on 2026-04-30/]],
    ['20, before its end', { node: '20.20.2', now: Date.parse('2025-06-01') }, [['ok']]],
    [
      '22, weeks before its end',
      { node: '22.9.0', now: Date.parse('2027-03-01') },
      [['note'], /end on 2027-04-30/],
    ],
    ['22, on the day', { node: '22.9.0', now: Date.parse('2027-04-30') }, [['warning']]],
    ['an odd one', { node: '25.0.0' }, [['warning'], /2026-06-01/]],
    ['26', { node: '26.0.0' }, [['ok']]],
    ['one that nobody knows yet', { node: '31.0.0' }, [['ok'], /Node 31/]],
    ['an old one', { node: '18.20.0' }, [['fault'], /too old/]],
    ['OpenSSL of the system', { sharedOpenssl: true }, [['ok'], /OpenSSL 3\.5\.0 of the system/]],
  ])('%s', (_, facts, expected) => expectFindings(checkNode({ ...base, ...facts }), expected));
});

describe('clock', () => {
  const base: ClockFacts = {
    now,
    builtAt: now - 5 * day,
    sync: 'synchronised',
    source: 'chronyc',
    container: null,
  };
  it.each<readonly [string, Partial<ClockFacts>, Expected]>([
    ['synchronised', {}, [['ok'], /2026-11-30T12:00:00Z, synchronised \(chronyc says so\)/]],
    ['not synchronised', { sync: 'unsynchronised' }, [['warning'], /chronyc says that it is not/, /set-ntp/]],
    ['nobody to ask', { sync: 'unknown', source: null }, [['note'], /nobody here can say/]],
    ['in a container', { sync: 'unknown', source: null, container: '/.dockerenv' }, [['note'], /host/]],
    ['before the build', { builtAt: now + 1 }, [['fault'], /clock-suspect/, /set-ntp/]],
    ['before the build, in a container', { builtAt: now + 1, container: 'lxc' }, [['fault'], /of the host/]],
    ['decades ahead', { now: now + 20 * year }, [['fault'], /clock shows 2046/]],
    ['synchronised to something wrong', { builtAt: now + day }, [['fault']]],
  ])('%s', (_, facts, expected) => expectFindings(checkClock({ ...base, ...facts }), expected));
});

describe('anchors', () => {
  const bundle = { path: '/etc/ssl/certs/ca-certificates.crt', changedAt: now - 30 * day };
  const base: AnchorSource = {
    sources: ['system'],
    counts: { system: 140, bundled: 0, file: 0 },
    files: [bundle],
    error: null,
  };
  it.each<readonly [string, Partial<AnchorSource>, Expected]>([
    ['the system bundle', {}, [['ok'], /140 trust anchors from \/etc\/ssl/]],
    ['an old bundle', { files: [{ ...bundle, changedAt: now - 3.5 * year }] }, [['warning'], /for 3 years/]],
    [
      'a file of one CA, however old',
      {
        sources: ['/a.pem'],
        counts: { system: 0, bundled: 0, file: 1 },
        files: [{ path: '/a.pem', changedAt: 0 }],
      },
      [['ok'], /1 trust anchor from \/a\.pem/],
    ],
    [
      'the roots of Node',
      { counts: { system: 0, bundled: 150, file: 0 }, files: [] },
      [['warning'], /150 roots .* Node 24/],
    ],
    ['none', { counts: { system: 0, bundled: 0, file: 0 }, files: [] }, [['fault'], /not one trust anchor/]],
    ['a file that cannot be read', { error: 'cannot read the CA file /a.pem' }, [['fault'], /\/a\.pem/]],
  ])('%s', (_, set, expected) =>
    expectFindings(checkAnchors({ sets: [{ ...base, ...set }], node: '24.1.0', now }), expected),
  );
});

describe('daemon', () => {
  const running = {
    state: 'answers',
    socket: '/run/letterlock/admin.sock',
    version: '0.1.0',
    pid: 7,
    user: 'letterlock',
    ownVersion: '0.1.0',
    troubled: [],
  } as const;
  it.each<readonly [string, DaemonFacts, Expected]>([
    ['running', running, [['ok'], /pid 7 \(user letterlock\)/]],
    [
      'another version',
      { ...running, ownVersion: '0.2.0' },
      [['warning'], /0\.1\.0.*this command is 0\.2\.0/, /Restart/],
    ],
    [
      'a route that refuses',
      { ...running, troubled: [{ route: 'imaps-1143', state: 'refusing' }] },
      [['ok', 'warning'], /imaps-1143 is refusing/],
    ],
    [
      'absent',
      { state: 'absent', tried: [{ path: '/x', trouble: 'absent' }], denied: null },
      [['note'], /\/x: absent/],
    ],
    [
      'not for us',
      { state: 'absent', tried: [], denied: '/x' },
      [['note'], /denied/, /sudo letterlock doctor/],
    ],
    [
      'something else',
      { state: 'odd', socket: '/x', message: 'is no letterlock' },
      [['fault'], /no letterlock/],
    ],
  ])('%s', (_, facts, expected) => expectFindings(checkDaemon(facts), expected));
});

describe('store', () => {
  const directory = '/var/lib/letterlock';
  const whole = {
    state: 'files',
    directory,
    health: 'good',
    records: 3,
    generation: 9,
    problems: [],
  } as const;
  it.each<readonly [string, StoreFacts, Expected]>([
    ['good', whole, [['ok'], /agree, 3 records, generation 9$/m]],
    ['good, by the daemon', { ...whole, state: 'daemon', records: 1 }, [['ok'], /1 record,/]],
    ['interrupted', { ...whole, health: 'healed' }, [['ok'], /interrupted write/]],
    [
      'damaged',
      { ...whole, health: 'damaged', problems: ['a record is missing'] },
      [['fault'], /a record is missing/, /pins repair/],
    ],
    [
      'put back',
      { ...whole, health: 'rolled-back', problems: ['older than its seal'] },
      [['fault'], /rolled-back/],
    ],
    [
      'good with a broken audit chain',
      { ...whole, state: 'daemon', problems: ['entry 4 was altered'] },
      [['fault'], /entry 4/],
    ],
    ['not there', { state: 'missing', directory }, [['note'], /no pin store/]],
    ['in use', { state: 'locked', directory, holder: 'pid 9 (user me)' }, [['note'], /by pid 9/]],
    ['in use by nobody known', { state: 'locked', directory, holder: null }, [['note'], /in use$/m]],
    [
      'of another user',
      { state: 'foreign', directory, owner: 'letterlock' },
      [['note'], /sudo -u letterlock/],
    ],
    [
      'unreadable',
      { state: 'unreadable', directory, message: 'cannot be read', hint: 'do' },
      [['fault'], /cannot be read/],
    ],
  ])('%s', (_, facts, expected) => expectFindings(checkStore(facts), expected));
});

describe('permissions', () => {
  const state: FileFacts = { path: '/s', kind: 'state', mode: 0o700, uid: 7, secret: true, error: null };
  const file = (part: Partial<FileFacts>): FileFacts => ({ ...state, path: '/f', ...part });
  it.each<readonly [string, readonly FileFacts[], readonly number[] | null, Expected]>([
    ['closed', [state, file({ kind: 'store', mode: 0o600 })], [7], [['ok'], /\/s, \/f/]],
    ['nothing there', [file({ mode: null, uid: null })], [7], [['ok'], /nothing is there yet/]],
    ['a state others may write to', [file({ mode: 0o777 })], [7], [['fault'], /chmod 700 \/f/]],
    ['a state its group may write to', [file({ mode: 0o770 })], [7], [['fault'], /0770/]],
    ['a state others may read', [file({ mode: 0o755 })], [7], [['warning'], /can read it/]],
    ['a state its group may read', [file({ mode: 0o750 })], [7], [['note'], /next start closes it/]],
    ['a socket for a group', [file({ kind: 'socket', mode: 0o660, secret: false })], [7], [['ok']]],
    [
      'a socket for all',
      [file({ kind: 'socket', mode: 0o666, secret: false })],
      [7],
      [['fault'], /approve keys/],
    ],
    [
      'a configuration for all to read',
      [file({ kind: 'configuration', mode: 0o644, secret: false })],
      [7],
      [['ok']],
    ],
    [
      'one with a password in it',
      [file({ kind: 'configuration', mode: 0o644 })],
      [7],
      [['warning'], /password/, /chmod 640/],
    ],
    [
      'one that all may write',
      [file({ kind: 'configuration', mode: 0o666, secret: false })],
      [7],
      [['fault']],
    ],
    ['a key for all to read', [file({ kind: 'key', mode: 0o644 })], [7], [['warning'], /chmod 600/]],
    ['somebody else’s state', [state], [8], [['warning'], /belongs to uid 7, and you are uid 8/]],
    ['somebody else’s, which is the daemon', [state], [8, 7], [['ok']]],
    ['somebody else’s, for root', [state], [0], [['ok']]],
    ['where there are no uids', [state], null, [['ok']]],
    [
      'one that cannot be looked at',
      [file({ mode: null, uid: null, error: 'EACCES' })],
      [7],
      [['note'], /EACCES/, /sudo/],
    ],
  ])('%s', (_, files, uids, expected) => expectFindings(checkPermissions({ files, uids }), expected));
});

describe('container', () => {
  const base: ContainerFacts = {
    container: '/.dockerenv',
    state: '/var/lib/letterlock',
    filesystem: 'ext4',
    mountedAt: '/var/lib/letterlock',
    policies: ['auto'],
  };
  it.each<readonly [string, Partial<ContainerFacts>, Expected]>([
    ['a volume', {}, [['ok'], /in a container \(\/\.dockerenv\).* ext4, which stays/]],
    ['no container', { container: null, mountedAt: '/' }, [['ok'], /^\/var/]],
    ['layers', { filesystem: 'overlay', mountedAt: '/' }, [['warning'], /lost with the container/, /volume/]],
    ['the disk of the container itself', { mountedAt: '/' }, [['warning'], /lost with the container/]],
    ['memory', { filesystem: 'tmpfs' }, [['warning'], /lost with the container/]],
    [
      'memory, no container',
      { container: null, filesystem: 'tmpfs' },
      [['warning'], /when the machine restarts/],
    ],
    ['layers of a live system', { container: null, filesystem: 'overlay', mountedAt: '/' }, [['ok']]],
    [
      'layers, and nothing is learnt',
      { filesystem: 'overlay', policies: ['ca', 'pinned', 'dane'] },
      [['note']],
    ],
    ['layers, one of several learns', { filesystem: 'overlay', policies: ['ca', 'tofu'] }, [['warning']]],
    ['layers, no route yet', { filesystem: 'overlay', policies: [] }, [['warning']]],
    ['unknown', { filesystem: null, mountedAt: null }, [['ok'], /unknown kind/]],
  ])('%s', (_, facts, expected) => expectFindings(checkContainer({ ...base, ...facts }), expected));
});

describe('disk', () => {
  const mebibyte = 1024 * 1024;
  const base: DiskFacts = { folder: '/s', freeBytes: 900 * mebibyte, freeFiles: 10_000, readOnly: false };
  it.each<readonly [string, Partial<DiskFacts>, Expected]>([
    ['room', {}, [['ok'], /\/s has 900 MiB free/]],
    ['much room', { freeBytes: 5000 * mebibyte }, [['ok'], /4\.9 GiB/]],
    ['little room', { freeBytes: 63 * mebibyte }, [['warning'], /63 MiB/]],
    ['hardly any', { freeBytes: 3.5 * mebibyte }, [['fault'], /3\.5 MiB/]],
    ['none', { freeBytes: 0 }, [['fault']]],
    ['no inode', { freeFiles: 0 }, [['fault'], /inodes/]],
    ['no number of inodes', { freeFiles: null }, [['ok']]],
    ['read-only', { readOnly: true }, [['fault'], /read-only/]],
    ['unknown', { freeBytes: null }, [['note']]],
  ])('%s', (_, facts, expected) => expectFindings(checkDisk({ ...base, ...facts }), expected));
});

const place = (state: PlaceFacts['state'], text = 'localhost:1143'): PlaceFacts => ({
  what: 'imap',
  place: text,
  state,
});

describe('ports', () => {
  const refused = {
    kind: 'refused',
    message: 'port 1143 is in use by uid 7',
    hint: 'stop it',
    optional: false,
  } as const;
  it.each<readonly [string, readonly PlaceFacts[], Expected]>([
    ['free', [place({ kind: 'free', byRoot: false })], [['ok'], /localhost:1143 \(free\)/]],
    ['ours', [place({ kind: 'ours' })], [['ok'], /running daemon/]],
    ['passed', [place({ kind: 'passed' }, 'fd:imap')], [['ok'], /fd:imap \(given by the service manager\)/]],
    ['taken', [place(refused)], [['fault'], /uid 7/, /stop it/]],
    ['taken, and not needed', [place({ ...refused, optional: true })], [['warning'], /starts without/]],
    ['tried by root', [place({ kind: 'free', byRoot: true })], [['note', 'ok'], /CAP_NET_BIND_SERVICE/]],
    [
      'one taken, one free',
      [place(refused), place({ kind: 'free', byRoot: false }, 'localhost:2')],
      [['fault', 'ok']],
    ],
    ['none', [], [[]]],
  ])('%s', (_, places, expected) => expectFindings(checkPorts({ places }), expected));
});

describe('ipv6', () => {
  it.each<readonly [string, Ipv6Facts, Expected]>([
    ['whole', { loopback: true, route: true, only: ['a'] }, [['ok'], /a route/]],
    ['no route, nobody needs it', { loopback: true, route: false, only: [] }, [['ok'], /none needs it/]],
    ['no route, somebody needs it', { loopback: true, route: false, only: ['a', 'b'] }, [['fault'], /a, b/]],
    ['unknown route', { loopback: true, route: null, only: ['a'] }, [['ok']]],
    ['no loopback', { loopback: false, route: false, only: [] }, [['note'], /127\.0\.0\.1/]],
  ])('%s', (_, facts, expected) => expectFindings(checkIpv6(facts), expected));
});

const askedNames = (...names: Extract<DnsFacts, { state: 'asked' }>['names']): DnsFacts => ({
  state: 'asked',
  names,
});

describe('dns', () => {
  it.each<readonly [string, DnsFacts, Expected]>([
    ['offline', { state: 'offline' }, [['note'], /--offline/]],
    ['nothing to ask', askedNames(), [['ok']]],
    [
      'both families',
      askedNames({ host: 'a', ipv4: 2, ipv6: 1, error: null }),
      [['ok'], /a: 2 IPv4, 1 IPv6/],
    ],
    ['IPv6 alone', askedNames({ host: 'a', ipv4: 0, ipv6: 1, error: null }), [['ok'], /a: 1 IPv6/]],
    [
      'no such name',
      askedNames({ host: 'a', ipv4: 0, ipv6: 0, error: 'ENOTFOUND' }),
      [['fault'], /Correct the name/],
    ],
    [
      'no name server',
      askedNames({ host: 'a', ipv4: 0, ipv6: 0, error: 'EAI_AGAIN' }),
      [['fault'], /resolv\.conf/],
    ],
    [
      'one of two',
      askedNames(
        { host: 'a', ipv4: 0, ipv6: 0, error: 'ENOTFOUND' },
        { host: 'b', ipv4: 1, ipv6: 0, error: null },
      ),
      [['fault', 'ok']],
    ],
  ])('%s', (_, facts, expected) => expectFindings(checkDns(facts), expected));
});

describe('upstreams', () => {
  const reached = { state: 'reached', address: '192.0.2.1:993', ms: 12, via: null } as const;
  const unreached = { state: 'unreached', code: 'dial', detail: 'ECONNREFUSED' } as const;
  const asked = (
    part: Partial<Extract<UpstreamFacts, { state: 'asked' }>['servers'][number]>,
  ): UpstreamFacts => ({
    state: 'asked',
    servers: [{ endpoint: 'a:993', route: 'imap', result: reached, standIn: null, ...part }],
  });
  it.each<readonly [string, UpstreamFacts, Expected]>([
    ['offline', { state: 'offline' }, [['note']]],
    ['reached', asked({}), [['ok'], /a:993 answers at 192\.0\.2\.1:993 \(12 ms\)/]],
    [
      'by a proxy',
      asked({ result: { ...reached, via: 'socks5://127.0.0.1:9050' } }),
      [['ok'], /by way of socks5/],
    ],
    ['unreached', asked({ result: unreached }), [['fault'], /ECONNREFUSED/, /explain dial/]],
    [
      'unreached, with a stand-in',
      asked({ result: unreached, standIn: 'b:993' }),
      [['warning'], /get b:993 instead/],
    ],
  ])('%s', (_, facts, expected) => expectFindings(checkUpstreams(facts), expected));
});

describe('process', () => {
  const base: ProcessFacts = { whose: 'daemon', uid: 107, coreBytes: 0 };
  it.each<readonly [string, Partial<ProcessFacts>, Expected]>([
    ['a user of its own', {}, [['ok'], /not root, and leaves no core files/]],
    ['a system that does not tell', { uid: null, coreBytes: null }, [['note'], /cannot be told/]],
    ['root', { uid: 0 }, [['warning'], /a user of its own/]],
    ['root looking, no daemon', { uid: 0, whose: 'command' }, [['note'], /started from here/]],
    ['core files', { coreBytes: Number.MAX_SAFE_INTEGER }, [['note'], /LimitCORE=0/]],
    ['both', { uid: 0, coreBytes: 1 }, [['warning', 'note']]],
  ])('%s', (_, facts, expected) => expectFindings(checkProcess({ ...base, ...facts }), expected));
});

describe('descriptors', () => {
  const base: DescriptorFacts = { limit: 4096, whose: 'daemon', connections: 1000, warm: 0 };
  it.each<readonly [string, Partial<DescriptorFacts>, Expected]>([
    ['enough', {}, [['ok'], /the daemon may open 4096 files; 2128/]],
    ['too few', { limit: 1024 }, [['warning'], /LimitNOFILE=2128/]],
    ['too few for two routes', { connections: 2000 }, [['warning'], /4128/]],
    ['just enough', { limit: 2130, warm: 2 }, [['ok']]],
    ['one short', { limit: 2129, warm: 2 }, [['warning']]],
    ['of this command', { whose: 'command' }, [['ok'], /started from here/]],
    ['unknown', { limit: null }, [['note']]],
  ])('%s', (_, facts, expected) => expectFindings(checkDescriptors({ ...base, ...facts }), expected));
});

const exitOf = (...given: readonly (readonly [(typeof checkNames)[number], Level])[]): string =>
  exitFor(given.map(([check, level]) => finding(check, level, { message: 'x' })));

describe('the exit code', () => {
  it('is done without a fault, however many warnings there are', () => {
    expect(exitOf()).toBe('done');
    expect(exitOf(...checkNames.map((name) => [name, 'warning'] as const))).toBe('done');
  });
  it.each([
    ['configuration', 'config'],
    ['node', 'config'],
    ['clock', 'config'],
    ['anchors', 'config'],
    ['store', 'store'],
    ['permissions', 'store'],
    ['disk', 'store'],
    ['ports', 'network'],
    ['dns', 'network'],
    ['upstreams', 'network'],
  ] as const)('of a fault of %s is %s', (check, exit) => {
    expect(exitOf(['environment', 'warning'], [check, 'fault'])).toBe(exit);
  });
  it('is that of the first fault', () => {
    expect(exitOf(['store', 'fault'], ['dns', 'fault'])).toBe('store');
  });
  it('knows four levels, from good to bad', () => {
    expect(levels).toEqual(['ok', 'note', 'warning', 'fault']);
  });
});

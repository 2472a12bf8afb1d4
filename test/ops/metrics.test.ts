import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clientRejections, failures, refusals } from '../../src/errors.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import type { Metrics, MetricsView } from '../../src/ops/metrics.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import { ended, everyEvent, judged, probed, route, started } from './events.ts';

const now = 1_790_000_000_000;
const view: MetricsView = {
  health: () => ({ state: 'good', detail: null, backend: 'memory', generation: 1, records: 1 }),
  trust: async () => ({
    keys: { pinned: 1, rejected: 2, candidate: 3, expired: 4 },
    endpoints: new Map([['imap.example.org:993', 'pinned']]),
    pinsEnd: new Map([['imap.example.org:993', now + 86_400_000]]),
  }),
  states: ['none', 'ca', 'pinned', 'emptied', 'conflict', 'damaged'],
  tellCarried: async () => undefined,
  hooks: () => [{ hook: 'desktop', waiting: 3 }],
};
const wide = { level: 'full', maxLabelValues: 1000 } as const;
const build = { version: '1.2.3', builtAt: 0 };
const anchors = [
  { system: 140, bundled: 0, file: 0 },
  { system: 140, bundled: 0, file: 2 },
];

let metrics: Metrics;
beforeEach(async () => {
  metrics = await openMetrics({ build, view, now: () => now, ...wide });
  await metrics.configure([route()], anchors);
});
afterEach(() => metrics.close());

/** Series by name with labels, process and runtime series left out. */
async function series(of = metrics): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const line of (await of.text()).split('\n')) {
    const parts = /^letterlock_(\S+(?:\{.*\})?) (\S+)$/.exec(line);
    if (parts?.[1] !== undefined && !parts[1].includes('_bucket')) found.set(parts[1], Number(parts[2]));
  }
  return found;
}

/** What the events changed: `name{labels}` to its new value, or null where it is gone. */
async function moved(events: readonly ProxyEvent[]): Promise<Record<string, number | null>> {
  const before = await series();
  for (const event of events) metrics.event(event);
  const after = await series();
  const changed = [...after].filter(([name, value]) => before.get(name) !== value);
  const gone = [...before.keys()].filter((name) => !after.has(name)).map((name) => [name, null] as const);
  return Object.fromEntries([...changed, ...gone]);
}

const countSeries = (text: string): number => text.split('\n').filter((line) => /^[a-z]/.test(line)).length;

const up = '{upstream="imap.example.org:993"';
const at = '{route="imaps-1143"';

const refusingNow = async (): Promise<number | undefined> => (await series()).get(`endpoint_refusing${up}}`);
const decided = (event: 'candidate' | 'approved'): ProxyEvent => ({
  type: 'pin-changed',
  endpoint: 'imap.example.org:993',
  event,
  origin: 'cli',
  spki: null,
  detail: '',
});

describe('a server that is refused', () => {
  test('is so for what it said after its verdict too, until it is accepted or somebody decided', async () => {
    metrics.event(decided('approved'));
    expect(await refusingNow()).toBeUndefined();
    metrics.event(judged({ verdict: 'pin' }));
    expect(await refusingNow()).toBe(0);
    metrics.event(ended({ outcome: 'refused', reason: 'injected-bytes' }));
    expect(await refusingNow()).toBe(1);
    metrics.event(judged({ verdict: 'pin' }));
    expect(await refusingNow()).toBe(0);
    metrics.event(judged({ verdict: 'refused', reason: 'pin-mismatch' }));
    metrics.event(decided('candidate'));
    expect(await refusingNow()).toBe(1);
    metrics.event(decided('approved'));
    expect(await refusingNow()).toBe(0);
  });

  test('has its faults again when its route comes back', async () => {
    const fault = `certificate_faults${up},fault="expired"}`;
    metrics.event(judged({ faults: ['expired'] }));
    expect((await series()).get(fault)).toBe(1);
    await metrics.configure([], anchors);
    expect((await series()).get(fault)).toBeUndefined();
    await metrics.configure([route()], anchors);
    metrics.event(judged({ faults: ['expired'] }));
    expect((await series()).get(fault)).toBe(1);
  });
});

describe('before anything happened', () => {
  test('every refusal, failure, verdict and rejection of a configured route stands at 0', async () => {
    const found = await series();
    for (const reason of Object.keys(refusals))
      expect(found.get(`refusals_total${up},reason="${reason}"}`)).toBe(0);
    for (const reason of Object.keys(failures))
      expect(found.get(`failures_total${at},reason="${reason}"}`)).toBe(0);
    for (const reason of Object.keys(clientRejections)) {
      expect(found.get(`client_connections_rejected_total${at},reason="${reason}"}`)).toBe(0);
    }
    for (const basis of ['ca', 'pin', 'first-use', 'dane', 'refused']) {
      expect(found.get(`verdicts_total${up},basis="${basis}"}`)).toBe(0);
    }
    for (const result of ['connected', 'refused', 'timeout', 'dns', 'unreachable', 'proxy'])
      expect(found.get(`upstream_dials_total${up},result="${result}"}`)).toBe(0);
    for (const result of ['accepted', 'refused', 'failed'])
      expect(found.get(`probes_total${up},result="${result}"}`)).toBe(0);
    for (const reason of ['bad-host', 'bad-origin', 'no-token', 'bad-token', 'rate'])
      expect(found.get(`admin_requests_rejected_total{reason="${reason}"}`)).toBe(0);
  });

  test.each([
    ['proxy', ['first-use', 'matched', 'promoted', 'handed-over', 'retired', 'expired']],
    [
      'admin',
      [
        'approved',
        'added',
        'imported',
        'retired',
        'rejected',
        'unrejected',
        'forgotten',
        'expired',
        'undone',
      ],
    ],
  ])('changes of pins by %s stand at 0', async (origin, events) => {
    const found = [...(await series())].filter(([name]) => name.includes(`origin="${origin}"`));
    const named = events.map((event) => [`pin_changes_total{event="${event}",origin="${origin}"}`, 0]);
    expect(new Set(found)).toEqual(new Set(named));
  });

  test('what is not known has no series', async () => {
    const names = [...(await series()).keys()].map((name) => name.replace(/\{.*/, ''));
    for (const absent of [
      'peer_certificate_not_after_timestamp_seconds',
      'peer_certificate_not_before_timestamp_seconds',
      'peer_chain_not_after_timestamp_seconds',
      'certificate_faults',
      'endpoint_refusing',
      'endpoint_judged_timestamp_seconds',
      'pin_last_match_timestamp_seconds',
      'store_last_sync_timestamp_seconds',
      'session_duration_seconds_count',
    ]) {
      expect(names).not.toContain(absent);
    }
  });

  test('the present state is read at the scrape', async () => {
    const found = await series();
    expect(found.get(`endpoint_state${up},state="pinned"}`)).toBe(1);
    expect(found.get(`endpoint_state${up},state="emptied"}`)).toBe(0);
    expect(found.get(`pins_end_timestamp_seconds${up}}`)).toBe(now / 1000 + 86_400);
    expect(found.get('hook_queue_length{hook="desktop"}')).toBe(3);
    expect(found.get('pins{state="candidate"}')).toBe(3);
    expect(found.get('store_up{backend="memory"}')).toBe(1);
    expect(found.get('store_damaged{backend="memory"}')).toBe(0);
    expect(found.get('ready')).toBe(0);
    expect(found.get('trust_anchors{source="system"}')).toBe(140);
    expect(found.get('trust_anchors{source="file"}')).toBe(2);
    expect(found.get('trust_anchors{source="bundled"}')).toBe(0);
    expect([...found.keys()]).toContainEqual(
      expect.stringMatching(/^build_info\{version="1\.2\.3",node_version="/),
    );
  });
});

const end = (facts: object) => ended({ bytesUp: 0, bytesDown: 0, ...facts });

describe('each event moves its own series and no other', () => {
  const duration = {
    [`session_duration_seconds_sum${at}}`]: 1.5,
    [`session_duration_seconds_count${at}}`]: 1,
  };
  const rows: readonly (readonly [string, readonly ProxyEvent[], Record<string, number | null>])[] = [
    [
      'session-started',
      [started(7)],
      {
        [`client_connections_total${at},protocol="imap"}`]: 1,
        [`client_connections${at},protocol="imap"}`]: 1,
      },
    ],
    [
      'session-started and its end',
      [started(7), end({ session: 7 })],
      { [`client_connections_total${at},protocol="imap"}`]: 1, ...duration },
    ],
    ['an end without a start', [end({ session: 8 })], duration],
    [
      'carried',
      [{ type: 'carried', route: 'imaps-1143', bytesUp: 10, bytesDown: 20 }],
      {
        [`relayed_bytes_total${at},direction="upstream"}`]: 10,
        [`relayed_bytes_total${at},direction="downstream"}`]: 20,
      },
    ],
    [
      'refused',
      [end({ outcome: 'refused', reason: 'pin-mismatch' })],
      { ...duration, [`refusals_total${up},reason="pin-mismatch"}`]: 1, [`endpoint_refusing${up}}`]: 1 },
    ],
    [
      'failed',
      [end({ outcome: 'failed', reason: 'dns' })],
      { ...duration, [`failures_total${at},reason="dns"}`]: 1 },
    ],
    [
      'rejected',
      [end({ outcome: 'rejected', reason: 'http' })],
      { [`client_connections_rejected_total${at},reason="http"}`]: 1 },
    ],
    [
      'dialled',
      [{ type: 'dialled', endpoint: 'imap.example.org:993', result: 'connected', seconds: 2 }],
      {
        [`upstream_dials_total${up},result="connected"}`]: 1,
        [`upstream_connect_duration_seconds_sum${up}}`]: 2,
        [`upstream_connect_duration_seconds_count${up}}`]: 1,
      },
    ],
    [
      'dialled in vain',
      [{ type: 'dialled', endpoint: 'imap.example.org:993', result: 'refused', seconds: 2 }],
      { [`upstream_dials_total${up},result="refused"}`]: 1 },
    ],
    [
      'looked up',
      [{ type: 'tlsa-looked-up', endpoint: 'imap.example.org:993', result: 'bogus', seconds: 2 }],
      { [`tlsa_lookups_total${up},result="bogus"}`]: 1 },
    ],
    [
      'handshaken',
      [{ type: 'handshaken', endpoint: 'imap.example.org:993', version: 'TLSv1.3', seconds: 2 }],
      {
        [`tls_handshakes_total${up},version="TLSv1.3"}`]: 1,
        [`tls_handshake_duration_seconds_sum${up}}`]: 2,
        [`tls_handshake_duration_seconds_count${up}}`]: 1,
      },
    ],
    [
      'greeted',
      [{ type: 'greeted', route: 'imaps-1143', seconds: 2 }],
      { [`time_to_greeting_seconds_sum${at}}`]: 2, [`time_to_greeting_seconds_count${at}}`]: 1 },
    ],
    [
      'a probe that met nobody',
      [
        probed({
          result: 'failed',
          verdict: null,
          reason: 'dial',
          spki: null,
          notBefore: null,
          notAfter: null,
        }),
      ],
      { [`probes_total${up},result="failed"}`]: 1 },
    ],
    [
      'a change of pins',
      [{ type: 'pin-changed', endpoint: 'x:1', event: 'first-use', origin: 'proxy', spki: null, detail: '' }],
      { 'pin_changes_total{event="first-use",origin="proxy"}': 1 },
    ],
    [
      'a candidate, which changes no pin',
      [{ type: 'pin-changed', endpoint: 'x:1', event: 'candidate', origin: 'proxy', spki: null, detail: '' }],
      {},
    ],
    [
      'a session whose key lost its trust',
      [{ type: 'session-revoked', session: 'T3S-1', endpoint: 'imap.example.org:993', spki: '' }],
      { [`sessions_revoked_total${up}}`]: 1 },
    ],
    [
      'a look from elsewhere',
      [
        {
          type: 'corroborated',
          endpoint: 'imap.example.org:993',
          spki: '',
          agreed: ['port 465', 'port 587'],
          differing: ['the proxy'],
          unreached: [],
          seconds: 1,
        },
      ],
      {
        [`corroborations_total${up},result="agreed"}`]: 2,
        [`corroborations_total${up},result="differing"}`]: 1,
        [`corroborations_total${up},result="unreached"}`]: 0,
      },
    ],
    [
      'a store write',
      [{ type: 'store-operation', seconds: 2, ok: true }],
      {
        'store_last_sync_timestamp_seconds{backend="memory"}': now / 1000,
        'store_operation_duration_seconds_sum{backend="memory"}': 2,
        'store_operation_duration_seconds_count{backend="memory"}': 1,
      },
    ],
    [
      'a failed store write',
      [{ type: 'store-operation', seconds: 2, ok: false }],
      {
        'store_errors_total{backend="memory"}': 1,
        'store_operation_duration_seconds_sum{backend="memory"}': 2,
        'store_operation_duration_seconds_count{backend="memory"}': 1,
      },
    ],
    ['a failed reload', [{ type: 'reloaded', ok: false, problems: 1 }], { config_last_reload_successful: 0 }],
    [
      'events that are for the log',
      everyEvent.filter(({ type }) =>
        [
          'certificate-renewed',
          'retiring-key-in-use',
          'key-untrusted',
          'store-health',
          'listening',
          'listen-skipped',
          'warning',
        ].includes(type),
      ),
      {},
    ],
  ];

  test.each(rows)('%s', async (_name, events, expected) => {
    expect(await moved(events)).toEqual(expected);
  });
});

const dates = (found: Map<string, number>, name: string) => found.get(`${name}_timestamp_seconds${up}}`);

describe('a judgement', () => {
  test('shows the dates of the leaf also when it was refused, and its faults', async () => {
    metrics.event(judged({ verdict: 'refused', reason: 'pin-mismatch', faults: ['self-signed', 'expired'] }));
    const found = await series();
    expect(found.get(`verdicts_total${up},basis="refused"}`)).toBe(1);
    expect(found.get(`endpoint_refusing${up}}`)).toBe(1);
    expect(dates(found, 'endpoint_judged')).toBe(now / 1000);
    expect(dates(found, 'peer_certificate_not_before')).toBe(1_700_000_000);
    expect(dates(found, 'peer_certificate_not_after')).toBe(1_800_000_000);
    expect(dates(found, 'peer_chain_not_after')).toBeUndefined();
    expect(found.get(`certificate_faults${up},fault="expired"}`)).toBe(1);
    expect(found.get(`certificate_faults${up},fault="weak-key"}`)).toBe(0);
    expect(dates(found, 'pin_last_match')).toBeUndefined();
    expect(found.get(`refusals_total${up},reason="pin-mismatch"}`)).toBe(0);
  });

  test('that accepts ends the refusing, and a matched pin is dated', async () => {
    metrics.event(judged({ verdict: 'refused', reason: 'pin-mismatch', faults: ['expired'] }));
    metrics.event(judged({ verdict: 'pin' }));
    const found = await series();
    expect(found.get(`endpoint_refusing${up}}`)).toBe(0);
    expect(dates(found, 'pin_last_match')).toBe(now / 1000);
    expect(found.get(`certificate_faults${up},fault="expired"}`)).toBe(0);
  });

  test('without a verified chain takes the end of the former chain away', async () => {
    metrics.event(judged({ verdict: 'ca', pathNotAfter: 1_795_000_000_000 }));
    expect(dates(await series(), 'peer_chain_not_after')).toBe(1_795_000_000);
    metrics.event(judged({ notAfter: null, notBefore: null }));
    const found = await series();
    expect(dates(found, 'peer_chain_not_after')).toBeUndefined();
    expect(dates(found, 'peer_certificate_not_after')).toBeUndefined();
  });
});

describe('a probe', () => {
  test('shows the certificate it met, also where the key would be a first use and nothing was judged', async () => {
    expect(
      await moved([probed({ verdict: 'first-use', faults: ['self-signed'], notAfter: 1_800_000_000_000 })]),
    ).toMatchObject({
      [`probes_total${up},result="accepted"}`]: 1,
      [`peer_certificate_not_after_timestamp_seconds${up}}`]: 1_800_000_000,
      [`certificate_faults${up},fault="self-signed"}`]: 1,
    });
    const found = await series();
    expect(found.get(`verdicts_total${up},basis="first-use"}`)).toBe(0);
    expect([...found.keys()].filter((name) => name.startsWith('endpoint_refusing'))).toEqual([]);
  });

  test('that failed leaves what was shown last', async () => {
    metrics.event(judged({ notAfter: 1_800_000_000_000 }));
    metrics.event(probed({ result: 'failed', verdict: null, reason: 'dial', spki: null, notAfter: null }));
    expect((await series()).get(`peer_certificate_not_after_timestamp_seconds${up}}`)).toBe(1_800_000_000);
  });
});

describe('labels', () => {
  test('routes and upstreams beyond the limit count as other, have no gauges, and are counted', async () => {
    const small = await openMetrics({ build, view, now: () => now, ...wide, maxLabelValues: 1 });
    await small.configure([route(), route('b', 'b.example:993'), route('c', 'c.example:993')], []);
    small.event(started(1, 'b'));
    small.event(
      ended({
        session: 1,
        route: 'b',
        endpoint: 'b.example:993',
        outcome: 'refused',
        reason: 'ca-lost',
      }),
    );
    small.event(judged({ endpoint: 'c.example:993' }));
    const found = await series(small);
    small.close();
    expect(found.get('labels_dropped')).toBe(4);
    expect(found.get('client_connections_total{route="other",protocol="imap"}')).toBe(1);
    expect(found.get('refusals_total{upstream="other",reason="ca-lost"}')).toBe(1);
    expect(found.get('verdicts_total{upstream="other",basis="pin"}')).toBe(1);
    expect([...found.keys()].filter((name) => /"(?:b|c)(?:\.example:993)?"/.test(name))).toEqual([]);
    expect(
      [...found.keys()].filter((name) =>
        /^(?:client_connections|endpoint_refusing|session_duration_seconds_count)\{.*other/.test(name),
      ),
    ).toEqual([]);
  });

  test('a route taken out of the configuration takes its series along', async () => {
    for (const event of [started(1), ...everyEvent]) metrics.event(event);
    await metrics.configure([route('b', 'b.example:993')], anchors);
    const found = [...(await series()).keys()];
    expect(found.filter((name) => name.includes('imap.example.org') || name.includes('imaps-1143'))).toEqual(
      [],
    );
    expect(found).toContain('refusals_total{upstream="b.example:993",reason="pin-mismatch"}');
  });
});

describe('at level minimal', () => {
  let small: Metrics;
  beforeEach(async () => {
    small = await openMetrics({ build, view, now: () => now, ...wide, level: 'minimal' });
    await small.configure([route()], anchors);
    for (const event of everyEvent) small.event(event);
  });
  afterEach(() => small.close());

  test('there are no histograms, and less than half the series', async () => {
    for (const event of everyEvent) metrics.event(event);
    const text = await small.text();
    expect(text).not.toContain('histogram');
    expect(countSeries(text)).toBeLessThan(countSeries(await metrics.text()) / 2);
  });

  test('a first refusal, verdict, probe and first use are not missed', async () => {
    const found = await series(small);
    expect(found.get(`refusals_total${up},reason="ca-lost"}`)).toBe(0);
    expect(found.get(`verdicts_total${up},basis="first-use"}`)).toBe(0);
    expect(found.get(`probes_total${up},result="refused"}`)).toBe(0);
    expect(found.get('pin_changes_total{event="first-use",origin="proxy"}')).toBe(0);
  });

  test('faults and states are there while they hold, and only then', async () => {
    small.event(judged({ verdict: 'refused', reason: 'ca-lost', faults: ['expired'] }));
    const before = [...(await series(small)).keys()];
    expect(before.filter((name) => name.startsWith('certificate_faults'))).toEqual([
      `certificate_faults${up},fault="expired"}`,
    ]);
    expect(before.filter((name) => name.startsWith('endpoint_state'))).toEqual([
      `endpoint_state${up},state="pinned"}`,
    ]);
    small.event(judged());
    const after = [...(await series(small)).keys()];
    expect(after.filter((name) => name.startsWith('certificate_faults'))).toEqual([]);
  });
});

test('two thousand routes have no more series than a thousand', async () => {
  const all = Array.from({ length: 2000 }, (_, index) => route(`r${index}`, `s${index}.example:993`));
  const counts = { thousand: 0, twoThousand: 0 };
  for (const [size, routes] of [
    ['thousand', all.slice(0, 1000)],
    ['twoThousand', all],
  ] as const) {
    const wideOpen = await openMetrics({ build, view, now: () => now, ...wide });
    await wideOpen.configure(routes, anchors);
    for (const [index, { name, endpoint }] of routes.entries()) {
      wideOpen.event(started(index, name));
      wideOpen.event(judged({ endpoint: endpoint.name }));
      wideOpen.event(ended({ session: index, route: name, endpoint: endpoint.name }));
    }
    counts[size] = countSeries(await wideOpen.text());
    wideOpen.close();
  }
  // What counts together as `other`: every counter of one route and one server, and nothing else.
  const others = counts.twoThousand - counts.thousand;
  expect(others).toBeGreaterThan(0);
  expect(others).toBeLessThan(80);
});

test('promtool finds nothing to say about a page with every series on it', async () => {
  for (const event of [...everyEvent, judged({ verdict: 'ca', pathNotAfter: now })]) metrics.event(event);
  metrics.adminServed('status', 200);
  for (const reason of ['bad-host', 'no-token', 'bad-token', 'rate'] as const) metrics.adminRejected(reason);
  metrics.ready('ready');
  const said = execFileSync('promtool', ['check', 'metrics'], {
    input: await metrics.text(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  expect(said.toString()).toBe('');
});

test('CPU, memory, descriptors, event loop and collections are there, and no other series of the runtime', async () => {
  const text = await metrics.text();
  const names = [...text.matchAll(/^# TYPE ((?:process|nodejs)_\S+)/gm)].map((found) => found[1]);
  expect(new Set(names)).toEqual(
    new Set([
      'nodejs_eventloop_lag_max_seconds',
      'nodejs_eventloop_lag_p50_seconds',
      'nodejs_eventloop_lag_p90_seconds',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_gc_duration_seconds',
      'process_cpu_seconds_total',
      'process_max_fds',
      'process_open_fds',
      'process_resident_memory_bytes',
    ]),
  );
  expect(text).toMatch(/^process_resident_memory_bytes [1-9]/m);
});

const delivered = (hook: string, result: 'delivered' | 'dropped'): ProxyEvent => ({
  type: 'hook-delivered',
  hook,
  result,
  attempts: 1,
  detail: null,
});

describe('hooks', () => {
  test('have their series at 0, counted by what became of a notice, until they are taken away', async () => {
    await metrics.configureHooks(['desktop', 'pager']);
    expect((await series()).get('hook_deliveries_total{hook="pager",result="failed"}')).toBe(0);
    expect((await series()).get('hook_queue_length{hook="desktop"}')).toBe(3);
    expect(await moved([delivered('pager', 'delivered'), delivered('pager', 'dropped')])).toEqual({
      'hook_deliveries_total{hook="pager",result="delivered"}': 1,
      'hook_deliveries_total{hook="pager",result="dropped"}': 1,
    });
    await metrics.configureHooks(['desktop']);
    expect(await moved([delivered('pager', 'delivered')])).toEqual({});
    expect([...(await series()).keys()].filter((name) => name.includes('pager'))).toEqual([]);
  });
});

const lag = (page: string, which: string): number =>
  Number(new RegExp(`^nodejs_eventloop_lag_${which}_seconds (\\S+)`, 'm').exec(page)?.[1]);

/** Infinity where nothing was measured since the look before. */
const median = async (): Promise<number> => {
  const page = await metrics.text();
  return lag(page, 'max') > 0 ? lag(page, 'p50') : Infinity;
};

test('a loop that nothing holds up has no lag: the interval of the timer that measures is none', async () => {
  // On a busy machine a loop is held up now and then; the interval of 20 ms would be in every look.
  await expect.poll(median, { interval: 200 }).toBeLessThan(0.01);
});

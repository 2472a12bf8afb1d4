// What has to be true of a store whatever happened to it: pins and audit log say the same, what was promised to anybody is
// there, and what the audit log has was told in the log. Pure: works on what the admin API and the log gave.

/** Entries after which a key is a pin. */
const grants = new Set([
  'first-use',
  'approved',
  'added',
  'imported',
  'matched',
  'handed-over',
  'config-pinned',
]);

/** `{granted, rejected}` of each endpoint, as the audit log alone tells it. */
function replayed(history) {
  const endpoints = new Map();
  for (const { endpoint, event, spki } of history) {
    const one = endpoints.get(endpoint) ?? { granted: new Set(), rejected: new Set() };
    endpoints.set(endpoint, one);
    if (event === 'forgotten') one.granted.clear();
    else if (event === 'rejected') {
      one.granted.delete(spki);
      one.rejected.add(spki);
    } else if (event === 'unrejected') one.rejected.delete(spki);
    else if (event === 'expired') one.granted.delete(spki);
    else if (grants.has(event)) one.granted.add(spki);
  }
  return endpoints;
}

const nothing = { granted: new Set(), rejected: new Set() };

/** Sentences; empty where pins and audit log agree. */
export function disagreements({ history, pins }) {
  const told = replayed(history);
  const found = [];
  for (const { endpoint, pins: own, rejected } of pins) {
    const { granted, rejected: refused } = told.get(endpoint) ?? nothing;
    for (const { spki, live } of own)
      if (live && !granted.has(spki))
        found.push(`${spki} of ${endpoint} is trusted, and no audit entry says why`);
    for (const spki of rejected)
      if (!refused.has(spki)) found.push(`${spki} of ${endpoint} is rejected, and no audit entry says so`);
  }
  const stored = new Map(pins.map((row) => [row.endpoint, row]));
  for (const [endpoint, { granted, rejected }] of told) {
    if (endpoint === '*') continue;
    const row = stored.get(endpoint);
    for (const spki of granted)
      if (!row?.pins.some((pin) => pin.spki === spki))
        found.push(`${spki} of ${endpoint} is trusted by the audit log, and no pin is there`);
    for (const spki of rejected)
      if (row?.rejected.includes(spki) !== true)
        found.push(`${spki} of ${endpoint} is rejected by the audit log, and not in the record`);
  }
  return found;
}

const keyOf = ({ endpoint, change, event, spki }) => `${change ?? event} ${spki} ${endpoint}`;

/** Audit entries of which the log has no line, and lines of which there is no entry: one sentence each. */
export function untold({ history, log }) {
  const lines = log.filter(({ event }) => event === 'pin-changed').map((entry) => keyOf({ ...entry }));
  const entries = history.map(({ endpoint, event, spki }) => keyOf({ endpoint, event, spki }));
  const [said, written] = [new Set(lines), new Set(entries)];
  return [
    ...entries.filter((entry) => !said.has(entry)).map((entry) => `recorded and never announced: ${entry}`),
    ...lines.filter((line) => !written.has(line)).map((line) => `announced and not recorded: ${line}`),
  ];
}

/** What somebody was promised: a client by being served, an operator by an answer. Later promises replace earlier ones. */
export class Promised {
  #trusted = new Map();
  #rejected = new Map();

  #key(endpoint, spki) {
    return `${endpoint} ${spki}`;
  }

  trusted(endpoint, spki, by) {
    this.#trusted.set(this.#key(endpoint, spki), { endpoint, spki, by });
    this.#rejected.delete(this.#key(endpoint, spki));
  }

  rejected(endpoint, spki) {
    this.#rejected.set(this.#key(endpoint, spki), { endpoint, spki });
    this.#trusted.delete(this.#key(endpoint, spki));
  }

  unsure(endpoint, spki) {
    this.#trusted.delete(this.#key(endpoint, spki));
    this.#rejected.delete(this.#key(endpoint, spki));
  }

  get count() {
    return this.#trusted.size + this.#rejected.size;
  }

  broken(pins) {
    const stored = new Map(pins.map((row) => [row.endpoint, row]));
    const found = [];
    for (const { endpoint, spki, by } of this.#trusted.values())
      if (!stored.get(endpoint)?.pins.some((pin) => pin.spki === spki))
        found.push(`${spki} of ${endpoint} was ${by}, and is not pinned`);
    for (const { endpoint, spki } of this.#rejected.values())
      if (stored.get(endpoint)?.rejected.includes(spki) !== true)
        found.push(`${spki} of ${endpoint} was rejected, and is not any more`);
    return found;
  }
}

/** All of it, of a letterlock that is ready; `letterlock.log` is of all lives of this state. */
export async function examined(letterlock, { promised, announcements = 'due' }) {
  const [verified, pins, history] = await Promise.all([
    letterlock.ask('POST', '/v1/verify'),
    letterlock.ask('GET', '/v1/pins'),
    letterlock.ask('GET', '/v1/history'),
  ]);
  const unanswered = [verified, pins, history].find(({ status }) => status !== 200);
  if (unanswered !== undefined)
    return [`the admin API does not answer: ${JSON.stringify(unanswered.body).slice(0, 300)}`];
  const { ok, problems, store } = verified.body;
  const found = [...promised.broken(pins.body)];
  if (!ok || store.state !== 'good') found.push(`the store is ${store.state}: ${problems.join('; ')}`);
  found.push(...disagreements({ history: history.body, pins: pins.body }));
  if (announcements === 'due') found.push(...untold({ history: history.body, log: letterlock.log }));
  return found;
}

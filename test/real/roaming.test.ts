// A laptop in a network of its own sleeps, loses its link and changes its address, with mail sessions open
// through letterlock to a real Dovecot behind a router.

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { account } from '../lab/dovecot.ts';
import { startLetterlock, type Letterlock } from '../lab/letterlock.ts';
import { LineClient } from '../lab/line-client.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { laptopAddress, makeNetwork, serverAddresses, type Network } from '../lab/network.ts';
import { cleanEnvironment, run } from '../lab/run.ts';
import { until } from '../lab/wait.ts';

// A sleep is noticed when a look, due every five seconds, comes more than twenty seconds late.
const sleepMs = 27_000;
const lostPort = 1143;
const keptPort = 1144;
const otherAddress = '198.51.100.99';

const noop = (client: LineClient): Promise<LineClient> => client.say('n NOOP').hear('n OK');

describeWith(['dovecot', 'openssl', 'ip', 'ss', 'setpriv'], { root: true })('a laptop', () => {
  let network: Network;
  let lab: MailLab;
  let letterlock: Letterlock;
  const clients: LineClient[] = [];

  beforeAll(async () => {
    network = await makeNetwork();
    const place = { inside: network.inside('server'), hosts: serverAddresses };
    lab = await startMailLab({ variant: 'ca1', seeded: false, postfix: false, place });
    const { imaps } = lab.dovecot.ports;
    const route = (name: string, listen: number, address: string) => ({
      name,
      listen,
      upstream: `imaps://mail.lab.test:${imaps}`,
      address: `${address}:${imaps}`,
      settings: { caFile: lab.caFile, trust: 'ca' },
    });
    const [lost, kept] = serverAddresses;
    const routes = [route('lost', lostPort, lost), route('kept', keptPort, kept)];
    letterlock = await startLetterlock(routes, {}, network.inside('laptop'));
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(async () => {
    await letterlock?.stop();
    await lab?.stop();
    await network?.remove();
  });

  function connect(port: number): LineClient {
    const client = new LineClient(port, network.inside('laptop'));
    clients.push(client);
    return client;
  }

  async function logIn(port: number): Promise<LineClient> {
    const client = await connect(port).hear('* OK');
    await client.say(`a LOGIN ${account.user} "${account.password}"`).hear('a OK');
    return client;
  }

  /** What the log says of sessions that ended from now on. */
  function endsFromNow(): () => readonly unknown[] {
    const before = letterlock.entries('session-ended').length;
    return () =>
      letterlock
        .entries('session-ended')
        .slice(before)
        .map(({ detail }) => detail);
  }

  /** The connections of the laptop that these words of `ss` choose. */
  async function connections(chosen: string): Promise<string> {
    const line = [...network.inside('laptop'), 'ss', '-Htno', ...chosen.split(' ')];
    return (await run(line, { env: cleanEnvironment('/') })).shown;
  }

  test('both legs of a session have keepalive', async () => {
    await logIn(keptPort);
    for (const leg of [`sport = :${keptPort}`, `dport = :${lab.dovecot.ports.imaps}`]) {
      const seen = await until('an idle connection', async () => {
        const shown = await connections(`state established ${leg}`);
        return shown.includes('timer:(on,') ? null : shown;
      });
      expect(seen).toMatch(/timer:\(keepalive,[1-5]\dsec/);
    }
  });

  test('after a sleep, healthy sessions go on and dead ones are reset, used or not', async () => {
    const [lost] = serverAddresses;
    const [kept, keptIdle] = [await logIn(keptPort), await logIn(keptPort)];
    const [asking, idle] = [await logIn(lostPort), await logIn(lostPort)];
    for (const client of [keptIdle, idle]) await client.say('i IDLE').hear('+ ');
    const ends = endsFromNow();
    await network.lose(lost);
    const dialling = connect(lostPort);
    await until('the dial', async () => (await connections(`state syn-sent dst ${lost}`)) !== '');
    letterlock.signal('SIGSTOP');
    await pause(sleepMs);
    letterlock.signal('SIGCONT');
    asking.say('n NOOP');
    const over = Promise.all([asking.over(25_000), idle.over(25_000)]);
    await noop(kept);
    await dialling.hear('* BYE letterlock could not reach mail.lab.test');
    const [asked, unused] = await over;
    expect(asked.state).toBe('reset');
    expect(asked.ms).toBeGreaterThan(8_000);
    expect(asked.ms).toBeLessThan(16_000);
    expect(unused.state).toBe('reset');
    expect(ends()).toContain('the server broke off: no answer after sleep or address change');
    expect(ends()).toContain('the server broke off: ETIMEDOUT');

    await noop(kept);
    await keptIdle.say('DONE').hear('i OK');
    expect([kept.state, keptIdle.state]).toEqual(['open', 'open']);
    await network.find(lost);
    await noop(await logIn(lostPort));
  });

  test('when its link goes, sessions are reset though nobody uses them; with the link back clients work again', async () => {
    const client = await logIn(keptPort);
    await client.say('i IDLE').hear('+ ');
    const ends = endsFromNow();
    await network.ip('laptop', 'link set wlan0 down');
    expect((await client.over(20_000)).state).toBe('reset');
    expect(ends()).toContain('the server broke off: this machine no longer has the address it was made from');
    await connect(keptPort).hear('* BYE letterlock could not reach mail.lab.test');
    await network.join(laptopAddress);
    await noop(await logIn(keptPort));
  });

  test('another address beside the old one leaves sessions alone; the old one’s end resets them', async () => {
    const client = await logIn(keptPort);
    await client.say('i IDLE').hear('+ ');
    await network.ip('laptop', `address add ${otherAddress}/24 dev wlan0`);
    // Three looks, and the probes that the first of them raises.
    await pause(16_000);
    await client.say('DONE').hear('i OK');
    await client.say('i IDLE').hear('+ ');
    const ends = endsFromNow();
    await network.ip('laptop', `address del ${laptopAddress}/24 dev wlan0`);
    await network.join(otherAddress);
    const fresh = await logIn(keptPort);
    expect((await client.over(20_000)).state).toBe('reset');
    expect(ends()).toContain('the server broke off: this machine no longer has the address it was made from');
    await noop(fresh);
  });
});

// A small internet out of network namespaces: a laptop, the router of the house, and a server behind it. What
// happens in it is seen nowhere else on the machine. Making one takes root.

import { randomUUID } from 'node:crypto';
import { cleanEnvironment, run, words } from './run.ts';

export const laptopAddress = '198.51.100.10';
/** The server has two, so that the way to one of them can go while the other stays. */
export const serverAddresses = ['203.0.113.20', '203.0.113.21'] as const;

type Host = 'laptop' | 'router' | 'server';

export interface Network {
  /** Words before a command that run it there. */
  inside(host: Host): readonly string[];
  /** Runs `ip` there, words separated by single spaces. */
  ip(host: Host, text: string): Promise<void>;
  /** Packets for this address of the server vanish at the router, and nobody is told. */
  lose(address: string): Promise<void>;
  /** Ends that. */
  find(address: string): Promise<void>;
  /** Takes the laptop's link up again and gives it what it needs: an address and the way out. */
  join(address: string): Promise<void>;
  remove(): Promise<void>;
}

/** Both links are up, and the laptop reaches the server. `remove` it, also when a test failed. */
export async function makeNetwork(): Promise<Network> {
  const id = randomUUID().slice(0, 8);
  const name = (host: Host): string => `ll-${id}-${host}`;
  const inside = (host: Host): readonly string[] => ['ip', 'netns', 'exec', name(host)];
  const ip = (host: Host, text: string): Promise<void> => command(['ip', '-n', name(host), ...words(text)]);
  const hosts = ['laptop', 'router', 'server'] as const;
  const network: Network = {
    inside,
    ip,
    lose: (address) => ip('router', `route add blackhole ${address}`),
    find: (address) => ip('router', `route del blackhole ${address}`),
    join: async (address) => {
      await ip('laptop', 'link set wlan0 up');
      await ip('laptop', `address replace ${address}/24 dev wlan0`);
      await ip('laptop', 'route replace default via 198.51.100.1');
    },
    remove: async () => {
      for (const host of hosts) await command(['ip', 'netns', 'del', name(host)]).catch(() => undefined);
    },
  };
  try {
    for (const host of hosts) {
      await command(['ip', 'netns', 'add', name(host)]);
      await ip(host, 'link set lo up');
    }
    await connect(network, name);
  } catch (error) {
    await network.remove();
    throw error;
  }
  return network;
}

async function connect(network: Network, name: (host: Host) => string): Promise<void> {
  const setting = (host: Host, path: string): Promise<void> =>
    command([...network.inside(host), 'sh', '-c', `echo 1 > /proc/sys/net/ipv4/${path}`]);
  await network.ip('router', `link add lan type veth peer name wlan0 netns ${name('laptop')}`);
  await network.ip('router', `link add wan type veth peer name eth0 netns ${name('server')}`);
  await network.ip('router', 'address add 198.51.100.1/24 dev lan');
  await network.ip('router', 'address add 203.0.113.1/24 dev wan');
  await network.ip('router', 'link set lan up');
  await network.ip('router', 'link set wan up');
  await setting('router', 'ip_forward');
  // Without it an interface that loses its first address loses the others too.
  await setting('laptop', 'conf/all/promote_secondaries');
  for (const address of serverAddresses) await network.ip('server', `address add ${address}/24 dev eth0`);
  await network.ip('server', 'link set eth0 up');
  await network.ip('server', 'route add default via 203.0.113.1');
  await network.join(laptopAddress);
}

async function command(line: readonly string[]): Promise<void> {
  const { exit, shown } = await run(line, { env: cleanEnvironment('/'), deadlineMs: 10_000 });
  if (exit !== 0) throw new Error(`${line.join(' ')}: ${shown}`);
}

// A machine whose clock and addresses the test moves, for whoever watches for sleep and roaming.

import type { NetworkInterfaceInfo } from 'node:os';
import type { SuspicionOptions } from '../../src/net/suspicion.ts';

export class FakeMachine {
  /** Wall clock, milliseconds. */
  clock = 0;
  /** Interface, MAC and address of each row; null: they cannot be read now. */
  rows: readonly (readonly [name: string, mac: string, address: string])[] | null = [
    ['lo', '00:00:00:00:00:00', '127.0.0.1'],
    ['wlan0', '02:00:00:00:00:01', '192.0.2.10'],
  ];
  /** How often they were read. */
  looks = 0;
  readonly options: Pick<SuspicionOptions, 'now' | 'interfaces'> = {
    now: () => this.clock,
    interfaces: () => this.#interfaces(),
  };

  /** Gives these addresses to one interface with a card of its own, besides loopback. */
  at(...addresses: readonly string[]): void {
    this.rows = [
      ['lo', '00:00:00:00:00:00', '127.0.0.1'],
      ...addresses.map((address) => ['wlan0', '02:00:00:00:00:01', address] as const),
    ];
  }

  #interfaces(): NodeJS.Dict<NetworkInterfaceInfo[]> {
    this.looks += 1;
    if (this.rows === null) throw Object.assign(new Error('uv_interface_addresses'), { code: 'EMFILE' });
    const found: NodeJS.Dict<NetworkInterfaceInfo[]> = {};
    for (const [name, mac, address] of this.rows) {
      const row = { address, mac, internal: name === 'lo', netmask: '', cidr: null };
      const six = address.includes(':');
      (found[name] ??= []).push(six ? { ...row, family: 'IPv6', scopeid: 0 } : { ...row, family: 'IPv4' });
    }
    return found;
  }
}

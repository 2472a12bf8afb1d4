import { describe, expect, test } from 'vitest';
import { parseEndpoint } from '../../src/endpoint.ts';
import type { TrustOptions } from '../../src/library/options.ts';
import { Settings, type SettingsOptions } from '../../src/library/settings.ts';

const pin = (letter: string): string => `sha256//${letter.repeat(42)}A=`;
const at = (options: SettingsOptions, name: string, given: TrustOptions = {}) =>
  new Settings({ caFile: [], ...options }).of(parseEndpoint(name), given);

/** As a program without types may write it. */
const absent = Object.fromEntries([['trust', undefined]]);

describe('settings', () => {
  test.each<[string, SettingsOptions, TrustOptions, object]>([
    ['nothing said', {}, {}, { policy: 'auto', firstUse: 'accept', configPins: [] }],
    ['a default for all', { trust: 'tofu' }, {}, { policy: 'tofu' }],
    [
      'an endpoint over the default',
      { trust: 'tofu', endpoints: { 'a.test:1': { trust: 'ca' } } },
      {},
      { policy: 'ca' },
    ],
    [
      'another endpoint',
      { trust: 'tofu', endpoints: { 'b.test:1': { trust: 'ca' } } },
      {},
      { policy: 'tofu' },
    ],
    ['the same name at another port', { endpoints: { 'a.test:2': { trust: 'ca' } } }, {}, { policy: 'auto' }],
    ['another spelling of it', { endpoints: { 'A.TEST.:1': { trust: 'ca' } } }, {}, { policy: 'ca' }],
    [
      'a call over both',
      { trust: 'tofu', endpoints: { 'a.test:1': { trust: 'ca' } } },
      { trust: 'pinned' },
      { policy: 'pinned' },
    ],
    ['an option that is there and undefined', { trust: 'tofu' }, absent, { policy: 'tofu' }],
    ['pins, each once', { pins: [pin('A'), pin('A')] }, {}, { configPins: [pin('A')] }],
    [
      'pins of an endpoint in place of the others',
      { pins: [pin('A')], endpoints: { 'a.test:1': { pins: [pin('B')] } } },
      {},
      { configPins: [pin('B')] },
    ],
    ['dane', { dane: 'prefer' }, {}, { dane: 'prefer' }],
    ['hand-over', { endpoints: { 'a.test:1': { handOver: true } } }, {}, { handOver: true }],
    ['anchors', {}, { trust: 'ca+tofu', continuity: 'anchor' }, { policy: 'ca+tofu', continuity: 'anchor' }],
  ])('%s', (_, options, given, expected) => {
    expect(at(options, 'a.test:1', given).settings).toMatchObject(expected);
  });

  test('a big provider is CA-verified whatever the default is, unless it is said of it', () => {
    expect(at({ trust: 'tofu' }, 'imap.gmail.com:993').settings.policy).toBe('ca');
    expect(at({ trust: 'tofu' }, 'imap.gmail.com:993', { trust: 'tofu' }).settings.policy).toBe('tofu');
    expect(at({ trust: 'tofu', pins: [pin('A')] }, 'imap.gmail.com:993').settings.policy).toBe('tofu');
  });

  test('anchors of a pin and hand-over exclude each other', () => {
    expect(() => at({ trust: 'ca+tofu', continuity: 'anchor', handOver: true }, 'a.test:1')).toThrow(
      'exclude each other',
    );
    expect(() => at({ endpoints: { nonsense: {} } }, 'a.test:1')).toThrow('nonsense');
  });
});

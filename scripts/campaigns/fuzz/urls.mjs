// URLs and addresses of the configuration and the command line (src/config/upstream.ts, proxy-url.ts, webhook-url.ts):
// RangeErrors alone, whose words, masked, hold no password; and what was read is written and read back.

import { demand, demandSame, onlyThrows } from './engine/broken.mjs';

const secret = 'Zq9pW7xK';

const values = (fc) =>
  fc.record({
    scheme: fc.constantFrom(
      'socks5://',
      'socks5h://',
      'http://',
      'https://',
      'SOCKS5://',
      'socks://',
      'socks5:\\/\\/',
      'sock5://',
      'imaps://',
      'imap://',
    ),
    user: fc.oneof(
      fc.constantFrom('me', 'a@b', 'a%40b', '%zz', ''),
      fc.string({ unit: 'grapheme-ascii', maxLength: 8 }),
    ),
    tail: fc.oneof(
      fc.constantFrom('', '/', '?', '#', '%', ' x', '@', ':'),
      fc.string({ unit: 'grapheme-ascii', maxLength: 6 }),
    ),
    host: fc.constantFrom(
      '127.0.0.1:1080',
      'h',
      '[::1]:1',
      'h:99999',
      'h/path',
      '',
      'h?q',
      '[::1',
      'ü.example',
    ),
  });
const seeds = [
  'imaps://imap.example.org',
  'imap://b\xc3\xbccher.example:1143',
  'tls://[::1]:636',
  `socks5://me:${secret}@127.0.0.1:1080`,
  'http://me:p%40w@h:8080',
  'https://hooks.example.org/x?y',
  'http://127.0.0.1/x',
  '1143=imaps://x',
  '127.0.0.1:1=imaps://x',
  'unix:/x=imaps://x',
  'fd:imap',
  '[::1]:0',
];

export const target = {
  name: 'urls',
  files: ['upstream', 'proxy-url', 'webhook-url', 'problem', 'unusable', 'duration'].map(
    (file) => `src/config/${file}`,
  ),
  dictionary: [
    'imaps://',
    'imap://',
    'socks5://',
    'socks5h://',
    'http://',
    'https://',
    'tls://',
    '@',
    ':',
    '/',
    '?',
    '#',
    '%',
    '%41',
    '%00',
    '%0a',
    '[::1]',
    ':993',
    'user',
    secret,
    '*',
    '=',
    'unix:/x',
    'fd:imap',
    '\\',
    '\n',
    ' ',
    '\u202e',
    'socks',
    'proxy: ',
    'password: ',
    'whsec_',
  ],
  longest: 800,
  structured: 0.5,
  prepare: async (from) => {
    const { loginFault, parseProxy, proxyText } = await from('src/config/proxy-url');
    const { parseListen, parseUpstream, splitRouteArgument, upstreamUrl } = await from('src/config/upstream');
    const { parseWebhook, webhookText } = await from('src/config/webhook-url');
    const { maskCredentials, maskLine } = await from('src/config/problem');
    const errors = ['UnusableValue', 'RangeError'];
    const check = (text) => {
      const upstream = onlyThrows(errors, () => parseUpstream(text));
      if (upstream !== undefined)
        demandSame(parseUpstream(upstreamUrl(upstream)), upstream, 'an upstream reads back as it is shown');
      onlyThrows(errors, () => parseListen(text));
      const { upstream: right } = splitRouteArgument(text);
      demand(text.endsWith(right), 'an argument is split, never changed', text);
      const proxy = onlyThrows(errors, () => parseProxy(text));
      if (proxy !== undefined) {
        const shown = proxyText(proxy);
        const { login } = proxy;
        demand(
          login === null ||
            login.password.length < 4 ||
            login.user.includes(login.password) ||
            proxy.host.includes(login.password) ||
            !shown.includes(login.password),
          'a proxy is shown without its password',
          shown,
        );
        loginFault(proxy);
      }
      const webhook = onlyThrows(errors, () => parseWebhook(text));
      if (webhook !== undefined) {
        demand(
          webhook.scheme === 'https' || /^(?:127\.|::1$|localhost$)/.test(webhook.host),
          'a webhook in clear is on this machine',
          webhook,
        );
        demand(
          webhook.path.length < 5 ||
            webhook.host.includes(webhook.path.slice(1)) ||
            !webhookText(webhook).includes(webhook.path),
          'a webhook is shown without its path',
          webhookText(webhook),
        );
      }
      demandSame(maskCredentials(text).length, text.length, 'masking keeps the length');
      maskLine(text);
    };
    /** A password where a proxy has its own, however the rest is misspelt. */
    const checkSecret = (text) => {
      for (const parse of [parseProxy, parseUpstream]) {
        try {
          parse(text);
        } catch (error) {
          if (!errors.includes(error?.name)) throw error;
          for (const words of [error.message, error.suggestion ?? ''])
            demand(!maskCredentials(words).includes(secret), 'no problem quotes a password', words);
        }
      }
    };
    const run = (bytes) => {
      const text = bytes.toString('utf8');
      check(text);
      const given = partsOf(bytes);
      if (given === null) return;
      checkSecret(`${given.scheme}${given.user}:${secret}${given.tail}@${given.host}`);
      check(`${given.scheme}${given.user}:${secret}${given.tail}@${given.host}`);
    };
    return { seeds, run, values };
  },
};

function partsOf(bytes) {
  if (bytes[0] !== 0x7b) return null;
  try {
    const given = JSON.parse(bytes.toString('utf8'));
    return ['scheme', 'user', 'tail', 'host'].every((name) => typeof given[name] === 'string') &&
      /^(?:socks\w*|https?|imaps?):\/\/$/i.test(given.scheme)
      ? given
      : null;
  } catch {
    return null;
  }
}

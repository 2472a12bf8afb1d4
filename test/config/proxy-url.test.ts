import { describe, expect, it } from 'vitest';
import { loginFault, parseProxy } from '../../src/config/proxy-url.ts';

describe('a proxy URL', () => {
  it.each([
    ['socks5://127.0.0.1', { kind: 'socks5', host: '127.0.0.1', port: 1080, login: null }],
    ['socks5h://localhost:9050', { kind: 'socks5', host: 'localhost', port: 9050, login: null }],
    ['SOCKS5://Proxy.Example.:1081', { kind: 'socks5', host: 'proxy.example', port: 1081, login: null }],
    ['http://proxy.example', { kind: 'http', host: 'proxy.example', port: 8080, login: null }],
    ['http://[2001:DB8::1]:3128', { kind: 'http', host: '2001:db8::1', port: 3128, login: null }],
    [
      'socks5://bob@proxy',
      { kind: 'socks5', host: 'proxy', port: 1080, login: { user: 'bob', password: '' } },
    ],
    [
      'http://b%6Fb:p%40ss%3Aw%C3%B6rd%2F@proxy:1',
      { kind: 'http', host: 'proxy', port: 1, login: { user: 'bob', password: 'p@ss:wörd/' } },
    ],
    [
      'socks5://bob:a@b@proxy',
      { kind: 'socks5', host: 'proxy', port: 1080, login: { user: 'bob', password: 'a@b' } },
    ],
    [
      'http://bob:a:b@proxy',
      { kind: 'http', host: 'proxy', port: 8080, login: { user: 'bob', password: 'a:b' } },
    ],
  ])('%s is read', (text, via) => {
    expect(parseProxy(text)).toEqual(via);
  });

  it.each([
    ['127.0.0.1:9050', /not a URL/],
    ['bob:s3cret@proxy:1080', /not a URL/],
    ['https://bob:s3cret@proxy', /TLS to the proxy itself/],
    ['socks4://proxy', /not a kind of proxy/],
    ['constructor://proxy', /not a kind of proxy/],
    ['socks5://', /no host/],
    ['socks5://bob:s3cret@', /no host/],
    ['socks5://bob:s3cret@proxy:0', /not a port/],
    ['socks5://bob:s3cret@proxy:99999', /not a port/],
    ['socks5://2001:db8::1', /no host/],
    ['socks5://bob:s3cret@proxy/path', /path, query or fragment/],
    ['http://bob:s3cret@proxy?x', /path, query or fragment/],
    ['socks5://under score', /not a host name/],
    ['socks5://0x7f.1', /turns into an address/],
    ['socks5://:s3cret@proxy', /without a user name/],
    ['socks5://bob:s3cret%@proxy', /percent-encoded/],
    ['socks5://bob:s3cret%ff@proxy', /percent-encoded/],
    ['socks5://bob:s3cret/more@proxy', /path, query or fragment/],
  ])('%s is not, and no message tells the password', (text, message) => {
    const read = (): unknown => parseProxy(text);
    expect(read).toThrow(RangeError);
    expect(read).toThrow(message);
    expect(read).not.toThrow(/s3cret/);
  });

  it.each([
    ['http://b%3Ab:s3cret@proxy', /cannot hold a colon/],
    [`socks5://bob:${'s3cret'.repeat(43)}@proxy`, /longer than 255 bytes/],
    ['socks5://bob@proxy', /without a password/],
    ['http://bob:a%0D%0Ab@proxy', /control character/],
    ['http://bob:s3cret@proxy', null],
    ['socks5://bob:s3cret@proxy', null],
    ['http://bob@proxy', null],
    ['socks5://proxy', null],
  ])('%s has a login the proxy can be given, or a fault that does not tell the password', (text, fault) => {
    const found = loginFault(parseProxy(text));
    if (fault === null) expect(found).toBeNull();
    else expect(found).toMatch(fault);
    expect(found ?? '').not.toContain('s3cret');
  });
});

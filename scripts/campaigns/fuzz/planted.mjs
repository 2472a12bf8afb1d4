// Faults that a careless change could bring, one at a time; the short campaign has to find each (scripts/campaign --planted).

export const planted = [
  {
    name: 'takes a length of 127 in its long form for minimal',
    file: 'src/trust/der.ts',
    find: 'if (length < 0x80 || length < 256 ** (octets - 1))',
    replace: 'if (length < 0x7f || length < 256 ** (octets - 1))',
  },
  {
    name: 'forgets how much of a literal it swallowed when the rest comes later',
    file: 'src/mail/talk.ts',
    find: 'this.#ask = { discard: count - dropped };',
    replace: 'this.#ask = { discard: count };',
  },
  {
    name: 'lists the bidi controls it escapes, and forgets the isolates',
    file: 'src/trust/escape.ts',
    find: String.raw`/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu`,
    replace: String.raw`/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu`,
  },
  {
    name: 'compares the beginning of a checksum',
    file: 'src/store/codec.ts',
    find: 'return text.startsWith(hashOf(key, body)) ? body : null;',
    replace: 'return text.startsWith(hashOf(key, body).slice(0, 16)) ? body : null;',
  },
  {
    name: 'takes a wildcard for all of a top-level domain',
    file: 'src/trust/identity.ts',
    find: "name.slice(2).split('.').length >= 2",
    replace: "name.slice(2).split('.').length >= 1",
  },
  {
    name: 'follows a pointer of a DNS name to where it stands',
    file: 'src/net/dns-message.ts',
    find: 'if (at + 1 >= bytes.length || target >= start)',
    replace: 'if (at + 1 >= bytes.length || target > start)',
  },
];

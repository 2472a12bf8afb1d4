// A reader of DER that shares nothing with src/trust/der.ts: recursive, and after the letter of X.690. And what a target
// needs of forged certificates (test/trust/forge.ts).

/** `{tag, content, end}` of the element at `at`; null where there is none that is strict. */
export function elementAt(bytes, at, end) {
  if (at + 2 > end) return null;
  const tag = bytes[at];
  if (tag === 0 || (tag & 31) === 31) return null;
  let [length, from] = [bytes[at + 1], at + 2];
  if (length === 128) return null;
  if (length > 128) {
    const octets = length - 128;
    if (octets > 4 || from + octets > end) return null;
    length = 0;
    for (let next = 0; next < octets; next += 1) length = length * 256 + bytes[from + next];
    // The shortest form only: what fits into fewer octets is written so.
    if (bytes[from] === 0 || (octets === 1 && length <= 127)) return null;
    from += octets;
  }
  return from + length > end ? null : { tag, from, to: from + length };
}

/** The elements between two places; null where they are not whole. */
export function elementsIn(bytes, from, to) {
  const found = [];
  for (let at = from; at < to;) {
    const element = elementAt(bytes, at, to);
    if (element === null) return null;
    found.push(element);
    at = element.to;
  }
  return found;
}

/** How many elements one strict tree has and how deep it is; null where it is none, or something follows. */
export function treeOf(bytes) {
  const top = elementAt(bytes, 0, bytes.length);
  if (top === null || top.to !== bytes.length) return null;
  let [count, deepest] = [0, 0];
  const walk = (element, depth) => {
    count += 1;
    deepest = Math.max(deepest, depth);
    // Far beyond what anybody accepts; deeper, this walker itself would end.
    if (depth > 500) return true;
    if ((element.tag & 32) === 0) return true;
    const inner = elementsIn(bytes, element.from, element.to);
    return inner !== null && inner.every((one) => walk(one, depth + 1));
  };
  return walk(top, 0) ? { count, deepest } : null;
}

const are = (elements, ...wanted) =>
  elements.length === wanted.length &&
  elements.every(({ tag }, at) => wanted[at] === null || wanted[at] === tag);
/**
 * Whether a certificate is strict DER as far as it is taken apart (RFC 5280 section 4.1): its fields, the parts of its names, its
 * extensions. Values of types nobody reads, and what stands in octet strings, are not looked into.
 */
export function isStrictFrame(bytes) {
  const within = ({ from, to }) => elementsIn(bytes, from, to) ?? [];
  const isName = (name) =>
    within(name).every((set) => {
      const pairs = set.tag === 0x31 ? within(set) : [];
      return pairs.length > 0 && pairs.every((pair) => pair.tag === 0x30 && are(within(pair), 6, null));
    });
  const isExtension = (one) => {
    const fields = one.tag === 0x30 ? within(one) : [];
    return are(fields, 6, 4) || are(fields, 6, 1, 4);
  };
  const outer = elementsIn(bytes, 0, bytes.length) ?? [];
  if (!are(outer, 0x30) || !are(within(outer[0]), 0x30, 0x30, 3)) return false;
  const fields = within(within(outer[0])[0]).filter(({ tag }) => ![0xa0, 0x81, 0x82].includes(tag));
  const explicit = fields.at(-1)?.tag === 0xa3 ? fields.pop() : null;
  if (!are(fields, 2, 0x30, 0x30, 0x30, 0x30, 0x30) || !isName(fields[2]) || !isName(fields[4])) return false;
  const [list, ...more] = explicit === null ? [] : within(explicit);
  if (explicit !== null && (list?.tag !== 0x30 || more.length > 0)) return false;
  return list === undefined || (elementsIn(bytes, list.from, list.to)?.every(isExtension) ?? false);
}

/** Certificates of several kinds, DER, and who issued them. */
export async function forgedCertificates(from) {
  const forge = await from('test/trust/forge');
  const {
    basicConstraints,
    cn,
    directory,
    dns,
    email,
    extendedKeyUsage,
    ip,
    keyUsage,
    name,
    nameConstraints,
    san,
    serverAuth,
    srv,
    uri,
  } = forge;
  const root = forge.forgeCa('Example Root', {
    extensions: [
      basicConstraints(true, 3),
      keyUsage('keyCertSign', 'cRLSign'),
      nameConstraints({
        permitted: [dns('example.org'), ip(192, 0, 2, 0, 255, 255, 255, 0)],
        excluded: [email('.example.net')],
      }),
    ],
  });
  const leaf = forge.forgeLeaf({
    issuer: root,
    subject: name(
      ['2.5.4.6', 'DE', 0x13],
      ['2.5.4.10', 'Bücher & Söhne'],
      ['2.5.4.3', '\u001b]0;x\u0007\u202egro.\u009b31m'],
    ),
    extensions: [
      san(
        dns('mail.example.org'),
        dns('*.example.org'),
        ip(192, 0, 2, 1),
        srv('_imaps.example.org'),
        uri('imaps://example.org'),
        email('a@example.org'),
        directory(cn('x')),
      ),
      extendedKeyUsage(serverAuth, '1.2.3.4'),
      keyUsage('digitalSignature'),
      basicConstraints(false),
      forge.issuerSource('http://ca.example/i.crt'),
    ],
  });
  return { forge, root, leaf, alone: forge.forgeLeaf(), old: forge.forge({ version: 1 }) };
}

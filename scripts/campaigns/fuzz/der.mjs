// The strict reader of DER (src/trust/der.ts) beside another one: they accept the same trees, the same object identifiers
// and the same times, and nothing but a DerError is thrown.

import { demand, demandSame, onlyThrows } from './engine/broken.mjs';
import { elementsIn, forgedCertificates, treeOf } from './engine/der.mjs';

const maxDepth = 24;
const maxElements = 4096;

/** X.690 section 8.19, arc by arc. */
function oidText(content) {
  if (content.length === 0 || content.length > 64) return null;
  const arcs = [];
  for (let at = 0; at < content.length;) {
    if (content[at] === 0x80) return null;
    let arc = 0n;
    while (at < content.length && content[at] >= 128) arc = arc * 128n + BigInt(content[at++] - 128);
    if (at === content.length) return null;
    arcs.push(arc * 128n + BigInt(content[at++]));
  }
  const [joined, ...others] = arcs;
  const first = joined < 40n ? 0n : joined < 80n ? 1n : 2n;
  return [first, joined - first * 40n, ...others].join('.');
}

/** RFC 5280 section 4.1.2.5, by asking whether the platform reads the same moment back. */
function moment(tag, content) {
  const text = Buffer.from(content).toString('latin1');
  const form = tag === 0x17 ? /^\d{12}Z$/ : /^\d{14}Z$/;
  if (!form.test(text)) return null;
  const full = tag === 0x17 ? `${Number(text.slice(0, 2)) >= 50 ? '19' : '20'}${text}` : text;
  const iso = full.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const time = Date.parse(iso);
  return Number.isNaN(time) || new Date(time).toISOString() !== iso ? null : time;
}

const accepts = (act) => onlyThrows(['DerError'], () => [act()]) ?? null;

export const target = {
  name: 'der',
  files: ['src/trust/der'],
  dictionary: [
    '\x30\x80',
    '\x30\x81\x7f',
    '\x30\x81\x80',
    '\x30\x82\x01\x00',
    '\x30\x82\x00\xff',
    '\x30\x84\x00\x00\x00\x01',
    '\x02\x01\x00',
    '\x06\x03\x55\x1d\x1e',
    '\x06\x02\x80\x01',
    '\x01\x01\xff',
    '\x01\x01\x01',
    '\x17\x0d260101000000Z',
    '\x18\x0f20260229000000Z',
    '\x1f',
    '\x00',
    '\x31\x00',
    '\xa0\x00',
  ],
  prepare: async (from) => {
    const { booleanOf, checkTree, elementsOf, oidOf, readFirst, readOnly, timeOf } =
      await from('src/trust/der');
    const run = (bytes) => {
      const tree = treeOf(bytes);
      const isTree = tree !== null && tree.deepest <= maxDepth && tree.count <= maxElements;
      demandSame(accepts(() => checkTree(bytes)) !== null, isTree, 'both readers accept the same trees');
      const first = accepts(() => readFirst(bytes))?.[0] ?? null;
      const elements = elementsIn(bytes, 0, bytes.length);
      demand(
        elements === null || elements.length === 0 || first !== null,
        'what one reader cuts apart the other does',
      );
      if (first === null) return;
      const { tag, content, whole } = first.element;
      demandSame(
        whole.length + first.rest.length,
        bytes.length,
        'nothing is lost between an element and the rest',
      );
      demand(
        (accepts(() => readOnly(bytes, tag)) !== null) === (first.rest.length === 0),
        'one element alone is one alone',
      );
      const inner = (tag & 32) === 0 ? null : elementsIn(content, 0, content.length);
      const read = accepts(() => elementsOf(first.element))?.[0].map((one) => one.whole.length) ?? null;
      const own =
        inner === null || inner.length > maxElements
          ? null
          : inner.map((one, at) => one.to - (at === 0 ? 0 : inner[at - 1].to));
      demandSame(read, own, 'both readers cut an element apart in the same way');
      demandSame(
        accepts(() => oidOf(first.element))?.[0] ?? null,
        tag === 6 ? oidText(content) : null,
        'both readers read the same identifier',
      );
      const isTime = tag === 0x17 || tag === 0x18;
      demandSame(
        accepts(() => timeOf(first.element))?.[0] ?? null,
        isTime ? moment(tag, content) : null,
        'both readers read the same time',
      );
      const flag =
        content.length === 1 && (content[0] === 0 || content[0] === 255) ? content[0] === 255 : null;
      demandSame(
        accepts(() => booleanOf(first.element))?.[0] ?? null,
        flag,
        'both readers read the same boolean',
      );
    };
    const { root, leaf } = await forgedCertificates(from);
    const seeds = [
      '\x30\x03\x01\x01\xff',
      `\x30\x81\x7f${'\x05\x00'.repeat(63)}\x00`,
      `\x04\x81\x7f${'a'.repeat(127)}`,
      `\x04\x81\x80${'a'.repeat(128)}`,
      `\x04\x82\x00\xff${'a'.repeat(255)}`,
      '\x30\x04\x04\x03ab',
      '\x06\x03\x55\x1d\x1e',
      '\x06\x02\x80\x01',
      '\x17\x0d260229000000Z',
      '\x17\x0d491231235959Z',
      '\x18\x0f20240229235960Z',
      '\x18\x0f00010101000000Z',
      '\x01\x01\xff',
      '\x30\x02'.repeat(24),
      root.certificate,
      leaf.certificate,
    ];
    return { seeds, run };
  },
};

// Revocation lists (src/trust/crl.ts) and stapled answers (src/trust/ocsp.ts): a list that was tampered with is nobody's,
// an answer that was tampered with says nothing, and neither throws anything but its own error.

import { createHash, sign } from 'node:crypto';
import { demand, onlyThrows } from './engine/broken.mjs';
import { forgedCertificates } from './engine/der.mjs';

const now = Date.parse('2026-06-01T00:00:00Z');

/** An OCSP answer (RFC 6960 section 4.2.1) about one certificate; `tbs` is what is signed of it. */
function answerFor({ forge, issuer, serial, word, by = issuer, certificates = [] }) {
  const { der, oid, octets, sequence, text } = forge;
  const spki = issuer.keys.publicKey.export({ type: 'spki', format: 'der' });
  // The octets of the BIT STRING, which is the last in it: P-256 keys are 65 octets.
  const key = spki.subarray(-65);
  const id = sequence(
    sequence(oid('1.3.14.3.2.26'), Buffer.of(5, 0)),
    octets(hash(issuer.subject)),
    octets(hash(key)),
    der(2, Buffer.of(serial)),
  );
  const status = { good: der(0x80), revoked: der(0xa1, text(0x18, '20260501000000Z')), unknown: der(0x82) }[
    word
  ];
  const single = sequence(
    id,
    status,
    text(0x18, '20260531000000Z'),
    der(0xa0, text(0x18, '20260607000000Z')),
  );
  const tbs = sequence(der(0xa1, by.subject), text(0x18, '20260531000000Z'), sequence(single));
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const signature = der(3, Buffer.of(0), sign('sha256', tbs, by.keys.privateKey));
  const chain = certificates.length === 0 ? [] : [der(0xa0, sequence(...certificates))];
  const basic = sequence(tbs, algorithm, signature, ...chain);
  const whole = sequence(
    der(0x0a, Buffer.of(0)),
    der(0xa0, sequence(oid('1.3.6.1.5.5.7.48.1.1'), octets(basic))),
  );
  return { whole, tbs, word };
}

const hash = (bytes) => createHash('sha1').update(bytes).digest();

export const target = {
  name: 'revocation',
  files: ['src/trust/crl', 'src/trust/ocsp', 'src/trust/signed', 'src/trust/der'],
  dictionary: [
    '-----BEGIN X509 CRL-----\n',
    '\n-----END X509 CRL-----\n',
    '\x55\x1d\x1b',
    '\x55\x1d\x1c',
    '\x55\x1d\x15',
    '\x55\x1d\x1d',
    '\x0a\x01\x08',
    '\x02\x01\x11',
    '\x17\x0d260101000000Z',
    '\x18\x0f20260531000000Z',
    '\x80\0',
    '\xa1\x11',
    '\x82\0',
    '\xa0\0',
    '\x0a\x01\0',
  ],
  longest: 3000,
  prepare: async (from) => {
    const { readCrls } = await from('src/trust/crl');
    const { readStaple, wordAt } = await from('src/trust/ocsp');
    const { parseCertificate } = await from('src/trust/parsed-certificate');
    await Promise.all(target.files.map(from));
    const { forge } = await forgedCertificates(from);
    const { forgeCrl, listIssuer, crlPem } = await from('test/trust/forge-crl');
    const issuer = listIssuer;
    const leaf = forge.forgeLeaf({ issuer });
    const responder = forge.forgeLeaf({
      issuer,
      subject: forge.cn('Responder'),
      keys: forge.ecKeys(),
      extensions: [forge.extendedKeyUsage('1.3.6.1.5.5.7.3.9')],
    });
    const asked = { leaf: parseCertificate(leaf.certificate), issuer: parseCertificate(issuer.certificate) };
    const lists = [
      forgeCrl(),
      forgeCrl({ entryExtensions: [forge.extension('2.5.29.21', forge.der(0x0a, Buffer.of(8)))] }),
      forgeCrl({ extensions: [forge.extension('2.5.29.20', forge.der(2, Buffer.of(7)))] }),
    ];
    const answers = ['good', 'revoked', 'unknown'].flatMap((word) => [
      answerFor({ forge, issuer, serial: 0x11, word }),
      answerFor({ forge, issuer, serial: 0x11, word, by: responder, certificates: [responder.certificate] }),
      answerFor({ forge, issuer, serial: 0x12, word }),
    ]);
    // What was signed stands in these octets: nothing else may be of the issuer.
    const signedParts = lists.map((list) => list.subarray(4, 4 + (list[6] * 256 + list[7]) + 4));
    const checkList = (bytes) => {
      const read = onlyThrows(['RangeError'], () => readCrls(bytes)) ?? [];
      const text = bytes.toString('latin1');
      const inside = [
        bytes,
        ...[...text.matchAll(/-----BEGIN [A-Z0-9 ]*CRL-----([^-]*)/g)].map(([, body]) =>
          Buffer.from(body, 'base64'),
        ),
      ];
      for (const list of read) {
        list.isStale(now);
        list.names(asked.leaf.serial);
        if (list.isOf(asked.issuer))
          demand(
            inside.some((octets) => signedParts.some((part) => octets.includes(part))),
            'a list of the issuer is one that it signed',
          );
      }
    };
    const checkAnswer = (bytes) => {
      const word = wordAt(readStaple(bytes, asked), now);
      if (word === 'nothing') return;
      const signed = answers.filter(({ tbs }) => bytes.includes(tbs));
      demand(
        signed.some((answer) => answer.word === word),
        'an answer that counts is one that was signed',
        word,
      );
    };
    const run = (bytes) => {
      checkList(bytes);
      checkAnswer(bytes);
    };
    for (const [{ whole, word }, want] of answers.map((answer, at) => [
      answer,
      at % 3 === 2 || answer.word === 'unknown' ? 'nothing' : answer.word,
    ]))
      demand(
        wordAt(readStaple(whole, asked), now) === want,
        `the answer ${word} that was forged says ${want}`,
      );
    demand(readCrls(lists[0])[0].isOf(asked.issuer), 'the list that was forged is of its issuer');
    return {
      seeds: [
        ...lists,
        crlPem(lists[0]),
        crlPem(lists[1]) + crlPem(lists[2]),
        ...answers.map(({ whole }) => whole),
      ],
      run,
    };
  },
};

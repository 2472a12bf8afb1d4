// How each program and system is told to trust the local CA, in words and commands to copy. Text only: nothing
// here is carried out.

import type { LocalCaDescription } from '../src/local-ca/description.ts';
import { nearest } from '../src/config/nearest.ts';
import { usage } from './args.ts';

export interface Guide {
  readonly name: string;
  /** Also known as. */
  readonly also: readonly string[];
  readonly title: string;
  readonly lines: readonly string[];
}

/** Where the guides suppose the exported certificate to be. */
const file = '~/letterlock-ca.crt';

const systems: readonly Guide[] = [
  {
    name: 'debian',
    also: ['ubuntu', 'mint', 'alpine-linux'],
    title: 'Debian, Ubuntu and their kin: every program that uses the system certificates',
    lines: [
      `sudo cp ${file} /usr/local/share/ca-certificates/letterlock-ca.crt`,
      'sudo update-ca-certificates',
      'To take it back: sudo rm /usr/local/share/ca-certificates/letterlock-ca.crt; sudo update-ca-certificates --fresh',
    ],
  },
  {
    name: 'fedora',
    also: ['rhel', 'centos', 'rocky', 'alma'],
    title: 'Fedora, Red Hat and their kin: every program that uses the system certificates',
    lines: [
      `sudo cp ${file} /etc/pki/ca-trust/source/anchors/letterlock-ca.crt`,
      'sudo update-ca-trust',
      'To take it back: sudo rm /etc/pki/ca-trust/source/anchors/letterlock-ca.crt; sudo update-ca-trust',
    ],
  },
  {
    name: 'arch',
    also: ['p11-kit'],
    title: 'Arch and other systems with p11-kit',
    lines: [`sudo trust anchor --store ${file}`, `To take it back: sudo trust anchor --remove ${file}`],
  },
  {
    name: 'macos',
    also: ['mac', 'apple-mail'],
    title: 'macOS: Mail and every program that uses the keychain',
    lines: [
      `sudo security add-trusted-cert -d -r trustRoot -p ssl -k /Library/Keychains/System.keychain ${file}`,
      `To take it back: sudo security remove-trusted-cert -d ${file}`,
    ],
  },
  {
    name: 'windows',
    also: ['outlook'],
    title: 'Windows: Outlook and every program that uses the Windows store (PowerShell)',
    lines: [
      'Import-Certificate -FilePath letterlock-ca.crt -CertStoreLocation Cert:\\CurrentUser\\Root',
      'For all users, as administrator: the same with Cert:\\LocalMachine\\Root',
      "To take it back: Get-ChildItem Cert:\\CurrentUser\\Root | Where-Object Subject -like '*letterlock local CA*' | Remove-Item",
    ],
  },
  {
    name: 'ios',
    also: ['ipad', 'iphone'],
    title: 'iPhone and iPad',
    lines: [
      'Send the file to the device (AirDrop, Files) and open it there.',
      'Settings > General > VPN & Device Management: install the profile, after comparing its name.',
      'Settings > General > About > Certificate Trust Settings: switch full trust on for it.',
      'The device must reach letterlock under a name in the certificate: localCa: {names: […]}.',
      'To take it back: remove the profile.',
    ],
  },
  {
    name: 'android',
    also: [],
    title: 'Android',
    lines: [
      'Copy the file to the device.',
      'Settings > Security > Encryption & credentials > Install a certificate > CA certificate (the path differs a little from maker to maker).',
      'Each app decides whether it heeds CAs its user added; one that does not shows the certificate and asks.',
      'The device must reach letterlock under a name in the certificate: localCa: {names: […]}.',
      'To take it back: Trusted credentials > User.',
    ],
  },
];

const programs: readonly Guide[] = [
  {
    name: 'thunderbird',
    also: ['betterbird'],
    title: 'Thunderbird',
    lines: [
      'Settings > Privacy & Security > Certificates > Manage Certificates > Authorities > Import: the file,',
      'and tick "Trust this CA to identify websites" (mail servers count as such).',
      `Or, with Thunderbird closed: certutil -A -n 'letterlock local CA' -t C,, -i ${file} -d sql:PROFILE_FOLDER`,
      'Do not "confirm a security exception" instead: it holds for one certificate, and that is renewed every two months.',
    ],
  },
  {
    name: 'firefox',
    also: [],
    title: 'Firefox',
    lines: [
      'Settings > Privacy & Security > View Certificates > Authorities > Import: the file,',
      'and tick "Trust this CA to identify websites".',
    ],
  },
  {
    name: 'evolution',
    also: [],
    title: 'Evolution',
    lines: [
      'Edit > Preferences > Certificates > Authorities > Import: the file, trusted to identify websites.',
    ],
  },
  {
    name: 'mutt',
    also: ['neomutt'],
    title: 'mutt and neomutt',
    lines: [
      `set ssl_ca_certificates_file = "${file}"   # built with GnuTLS, as in Debian`,
      `set certificate_file = "${file}"           # built with OpenSSL (mutt -v says)`,
    ],
  },
  {
    name: 'mbsync',
    also: ['isync'],
    title: 'mbsync, in the IMAPAccount section',
    lines: [
      'Host localhost',
      'TLSType IMAPS   # or STARTTLS; before version 1.5 it is SSLType',
      `CertificateFile ${file}`,
    ],
  },
  {
    name: 'msmtp',
    also: ['mpop'],
    title: 'msmtp and mpop',
    lines: ['tls on', 'tls_starttls off   # on for clientTls: starttls', `tls_trust_file ${file}`],
  },
  {
    name: 'fetchmail',
    also: [],
    title: 'fetchmail, in the poll line',
    lines: [
      `ssl sslcertck sslcertfile ${file}   # for clientTls: starttls, leave out ssl and add sslproto auto`,
    ],
  },
  {
    name: 'getmail',
    also: [],
    title: 'getmail, in the [retriever] section',
    lines: ['type = SimpleIMAPSSLRetriever   # or SimplePOP3SSLRetriever', `ca_certs = ${file}`],
  },
  {
    name: 'offlineimap',
    also: [],
    title: 'offlineimap, in the remote repository',
    lines: ['ssl = yes', `sslcacertfile = ${file}`],
  },
  {
    name: 's-nail',
    also: ['mailx'],
    title: 's-nail',
    lines: ['set tls-verify=strict', `set tls-ca-file=${file}`],
  },
  {
    name: 'sieve-connect',
    also: [],
    title: 'sieve-connect',
    lines: [`sieve-connect --tlscafile ${file} --server localhost --port 14190`],
  },
  {
    name: 'swaks',
    also: [],
    title: 'swaks',
    lines: [`swaks --tls --tls-verify --tls-ca-path ${file} --server localhost --port 1587`],
  },
  {
    name: 'git',
    also: ['send-email'],
    title: 'git send-email',
    lines: [`git config --global sendemail.smtpSSLCertPath ${file}`],
  },
  {
    name: 'curl',
    also: [],
    title: 'curl',
    lines: [
      `curl --cacert ${file} imaps://localhost:1143/`,
      `curl --ssl-reqd --cacert ${file} imap://localhost:1143/`,
    ],
  },
  {
    name: 'openssl',
    also: [],
    title: 'openssl, to look',
    lines: [
      `openssl s_client -connect localhost:1143 -verify_return_error -verify_hostname localhost -CAfile ${file}`,
      'with -starttls imap (pop3, smtp, lmtp, sieve) for clientTls: starttls',
    ],
  },
  {
    name: 'python',
    also: ['imaplib', 'smtplib', 'poplib'],
    title: 'Python',
    lines: [
      'import imaplib, os, ssl',
      `context = ssl.create_default_context(cafile=os.path.expanduser('${file}'))`,
      "imaplib.IMAP4_SSL('localhost', 1143, ssl_context=context)",
    ],
  },
  {
    name: 'node',
    also: ['nodejs', 'imapflow', 'nodemailer'],
    title: 'Node.js',
    lines: [
      `NODE_EXTRA_CA_CERTS=${file} node program.js`,
      `or in the program: tls: {ca: readFileSync('letterlock-ca.crt')}`,
    ],
  },
  {
    name: 'go',
    also: ['aerc', 'golang'],
    title: 'Go programs such as aerc',
    lines: [
      'They use the system certificates: see debian, fedora, macos. For one program, with these and no others:',
      `SSL_CERT_FILE=${file} aerc`,
    ],
  },
  {
    name: 'java',
    also: ['jvm', 'keytool'],
    title: 'Java (Java does not apply the name constraints of a CA it trusts: see docs/local-tls.md)',
    lines: [
      `keytool -importcert -alias letterlock -file ${file} -cacerts -storepass changeit`,
      'To take it back: keytool -delete -alias letterlock -cacerts -storepass changeit',
    ],
  },
  {
    name: 'emacs',
    also: ['gnus', 'mu4e'],
    title: 'Emacs',
    lines: [`(add-to-list 'gnutls-trustfiles (expand-file-name "${file}"))`],
  },
];

const guides: readonly Guide[] = [...systems, ...programs];
export const guideNames: readonly string[] = guides.map(({ name }) => name);

/** @throws CommandError usage */
export function guideNamed(written: string): Guide {
  const name = written.toLowerCase();
  const found = guides.find((guide) => guide.name === name || guide.also.includes(name));
  if (found !== undefined) return found;
  const near = nearest(
    name,
    guides.flatMap((guide) => [guide.name, ...guide.also]),
  );
  throw usage(
    `there is no guide for ${written}`,
    near === null ? `there are guides for ${guideNames.join(', ')}` : `did you mean ${near}?`,
  );
}

/** All of them without one. `program` is how the user calls letterlock, `place` what says which state is meant. */
export const guideLines = (
  { subject, sha256 }: LocalCaDescription,
  {
    guide,
    program,
    place,
  }: { readonly guide: Guide | null; readonly program: string; readonly place: string },
): readonly string[] => [
  'First export the certificate, once, and take the file to where it is needed:',
  `  ${program} local-ca export ${file}${place}`,
  'Where something shows it before trusting it, it must be',
  `  ${subject}`,
  `  SHA-256 ${sha256}`,
  ...chosen(guide).flatMap(({ name, title, lines }) => [
    '',
    `${title} (--for ${name})`,
    ...lines.map((line) => `  ${line}`),
  ]),
  '',
  'Then give the program localhost as server, the port of letterlock status, and TLS (or STARTTLS) as security.',
];

export const chosen = (guide: Guide | null): readonly Guide[] => (guide === null ? guides : [guide]);

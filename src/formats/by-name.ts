// Every format that is read and every program that is printed for, by the name people give it; and which format a file
// most likely has.

import { printCurl, readCurl } from './curl.ts';
import { printFetchmail, readFetchmail } from './fetchmail.ts';
import { printGetmail, readGetmail } from './getmail.ts';
import { printGnutls, readGnutls } from './gnutls.ts';
import { printKeyList, readKeyList } from './key-list.ts';
import { printMbsync, readMbsync } from './mbsync.ts';
import { printMpop, printMsmtp, readMpop, readMsmtp } from './msmtp.ts';
import { printMutt, readMutt } from './mutt.ts';
import { printOfflineimap, readOfflineimap } from './offlineimap.ts';
import { printOpenssl } from './openssl.ts';
import { readBackup } from './own-json.ts';
import { printPem, readPem } from './pem.ts';
import type { Printer } from './printing.ts';
import type { Reader } from './reading.ts';
import { printThunderbird, readThunderbird } from './thunderbird.ts';

export const readers = {
  json: readBackup,
  list: readKeyList,
  pem: readPem,
  curl: readCurl,
  fetchmail: readFetchmail,
  getmail: readGetmail,
  gnutls: readGnutls,
  mbsync: readMbsync,
  mpop: readMpop,
  msmtp: readMsmtp,
  mutt: readMutt,
  offlineimap: readOfflineimap,
  thunderbird: readThunderbird,
} as const satisfies Record<string, Reader>;
export type ImportFormat = keyof typeof readers;
export const isImportFormat = (name: string): name is ImportFormat => Object.hasOwn(readers, name);

/** Lines for the configuration of a program; those of `formats` are whole files as well. */
export const printers = {
  curl: printCurl,
  fetchmail: printFetchmail,
  getmail: printGetmail,
  gnutls: printGnutls,
  mbsync: printMbsync,
  mpop: printMpop,
  msmtp: printMsmtp,
  mutt: printMutt,
  offlineimap: printOfflineimap,
  openssl: printOpenssl,
  thunderbird: printThunderbird,
} as const satisfies Record<string, Printer>;
export type Tool = keyof typeof printers;
export const isTool = (name: string): name is Tool => Object.hasOwn(printers, name);

/** `json`, the backup, is made from whole records and not from pins. */
export const filePrinters = {
  list: printKeyList,
  pem: printPem,
  gnutls: printGnutls,
  thunderbird: printThunderbird,
} as const satisfies Record<string, Printer>;
export type FileFormat = keyof typeof filePrinters;
export const isFileFormat = (name: string): name is FileFormat => Object.hasOwn(filePrinters, name);

const names: readonly (readonly [RegExp, ImportFormat])[] = [
  [/^\.?msmtprc$/, 'msmtp'],
  [/^\.?mpoprc$/, 'mpop'],
  [/^\.?fetchmailrc$/, 'fetchmail'],
  [/^\.?getmailrc$/, 'getmail'],
  [/^\.?offlineimaprc$/, 'offlineimap'],
  [/^\.?(?:mbsync|isync)rc$/, 'mbsync'],
  [/^[._]?curlrc$/, 'curl'],
  [/^cert_override\.txt$/, 'thunderbird'],
];

const contents: readonly (readonly [RegExp, ImportFormat])[] = [
  [/^\s*\{/, 'json'],
  [/^\|[gc]0\|/m, 'gnutls'],
  [/^#H \S/m, 'mutt'],
  [/-----BEGIN /, 'pem'],
  [/^# PSM Certificate Override/, 'thunderbird'],
  [/(?:^|\s)sha256\/\/[\w+/]{43}=/m, 'list'],
];

/** By the usual name of the file, else by what only one format has in it; null when neither says so. */
export function formatOf(fileName: string, text: string): ImportFormat | null {
  const named = names.find(([pattern]) => pattern.test(fileName));
  if (named !== undefined) return named[1];
  return contents.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

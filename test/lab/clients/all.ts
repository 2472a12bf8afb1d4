// Every client the tests know.

import { aercImap, aercSmtp } from './aerc.ts';
import { alpineImap, alpinePop3, alpineSmtp } from './alpine.ts';
import type { Reader, Sender } from './client.ts';
import { curlImap, curlPop3, curlSmtp } from './curl.ts';
import { fetchmailImap, fetchmailPop3, getmailImap, getmailPop3, mbsync, mpop } from './fetchers.ts';
import { muttImap, muttPop3, muttSmtp } from './mutt.ts';
import { imaplib, lmtplib, poplib, smtplib } from './python.ts';
import { python2Readers, python2Senders } from './python2.ts';
import { sNailImap, sNailPop3, sNailSmtp } from './s-nail.ts';
import { msmtp, swaks, swaksLmtp } from './senders.ts';
import { words } from '../run.ts';
import { sieveConnect } from './sieve-connect.ts';

export const readers: readonly Reader[] = [
  curlImap,
  imaplib,
  fetchmailImap,
  getmailImap,
  mbsync,
  sNailImap,
  muttImap,
  alpineImap,
  aercImap,
  curlPop3,
  poplib,
  fetchmailPop3,
  getmailPop3,
  mpop,
  sNailPop3,
  muttPop3,
  alpinePop3,
  sieveConnect,
  ...python2Readers,
];

export const senders: readonly Sender[] = [
  curlSmtp,
  smtplib,
  msmtp,
  swaks,
  sNailSmtp,
  muttSmtp,
  alpineSmtp,
  aercSmtp,
  lmtplib,
  swaksLmtp,
  ...python2Senders,
];

/** What has to be installed for all of them. */
export const clientPrograms: readonly string[] = words(
  'curl python3 fetchmail getmail mbsync mpop s-nail mutt alpine aerc tmux msmtp swaks sieve-connect',
);

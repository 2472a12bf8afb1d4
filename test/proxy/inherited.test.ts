// The variables of socket activation (sd_listen_fds(3)).

import { expect, it } from 'vitest';
import { takeInherited } from '../../src/proxy/inherited.ts';

const pid = 4711;

it.each([
  ['one socket', { LISTEN_FDS: '1', LISTEN_FDNAMES: 'imap' }, [{ fd: 3, name: 'imap' }]],
  [
    'several of one name',
    { LISTEN_FDS: '3', LISTEN_FDNAMES: 'imap:sieve:imap' },
    [
      { fd: 3, name: 'imap' },
      { fd: 4, name: 'sieve' },
      { fd: 5, name: 'imap' },
    ],
  ],
  [
    'sockets without names',
    { LISTEN_FDS: '2' },
    [
      { fd: 3, name: 'unknown' },
      { fd: 4, name: 'unknown' },
    ],
  ],
  ['no socket', { LISTEN_FDS: '0' }, []],
  ['no socket and no name', { LISTEN_FDS: '0', LISTEN_FDNAMES: '' }, []],
])('reads %s, and takes the variables away', (_, variables, expected) => {
  const env = { LISTEN_PID: '4711', LISTEN_PIDFDID: '9', PATH: '/bin', ...variables };
  expect(takeInherited(env, pid)).toEqual(expected);
  expect(env).toEqual({ PATH: '/bin' });
});

it.each([
  ['of another process', { LISTEN_PID: '1', LISTEN_FDS: '1' }],
  ['without a process', { LISTEN_FDS: '1' }],
  ['of another process that make no sense', { LISTEN_PID: '1', LISTEN_FDS: 'x' }],
])('takes no socket from variables %s, and takes them away', (_, env) => {
  expect(takeInherited(env, pid)).toEqual([]);
  expect(env).toEqual({});
});

it.each([
  ['no number', { LISTEN_FDS: 'x' }],
  ['no number at all', {}],
  ['a negative number', { LISTEN_FDS: '-1' }],
  ['more sockets than there can be', { LISTEN_FDS: '9999' }],
  ['more names than sockets', { LISTEN_FDS: '1', LISTEN_FDNAMES: 'imap:sieve' }],
  ['fewer names than sockets', { LISTEN_FDS: '2', LISTEN_FDNAMES: 'imap' }],
])('refuses variables for this process with %s', (_, variables) => {
  expect(() => takeInherited({ LISTEN_PID: '4711', ...variables }, pid)).toThrow(
    expect.objectContaining({ code: 'listen-failed', exit: 'config' }),
  );
});

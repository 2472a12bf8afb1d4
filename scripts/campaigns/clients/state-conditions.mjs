// What another user of the machine may have made of a state directory, of what is above it, and of what is in it; and
// what has to come of each.

import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { someone } from './stranger.mjs';

const mode = (path, bits) => chmodSync(path, bits);
const give = (path) => chownSync(path, someone, someone);
const folder = (path, bits = 0o700) => {
  mkdirSync(path, { recursive: true });
  mode(path, bits);
};
/** `to` is made elsewhere, so that the link leads out of where it stands. */
const link = (path, to) => {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(to, path);
};

/** `prepare` gets a folder of its own and the path of the state to be; `comes` is what has to come of it. */
export const conditions = [
  { name: 'nothing there', comes: 'starts', prepare: () => undefined },
  { name: 'ours', comes: 'starts', prepare: ({ state }) => folder(state) },
  { name: 'readable by others', comes: 'starts', prepare: ({ state }) => folder(state, 0o755) },
  {
    name: 'a link of ours',
    comes: 'starts',
    prepare: ({ state, base }) => (folder(join(base, 'real')), link(state, join(base, 'real'))),
  },
  { name: 'in a sticky folder', comes: 'starts', prepare: ({ parent }) => mode(parent, 0o1777) },
  ...[0o777, 0o770, 0o720, 0o702, 0o1777].map((bits) => ({
    name: `mode ${bits.toString(8)}`,
    comes: 'refuses',
    prepare: ({ state }) => folder(state, bits),
  })),
  { name: 'of another user', comes: 'refuses', prepare: ({ state }) => (folder(state), give(state)) },
  {
    name: 'of another user, in a sticky folder',
    comes: 'refuses',
    prepare: ({ state, parent }) => (mode(parent, 0o1777), folder(state), give(state)),
  },
  {
    name: 'a link of another user',
    comes: 'refuses',
    prepare: ({ state, base }) => (
      folder(join(base, 'real')),
      link(state, join(base, 'real')),
      lchownSync(state, someone, someone)
    ),
  },
  {
    name: 'a link to a folder of another user',
    comes: 'refuses',
    prepare: ({ state, base }) => (
      folder(join(base, 'real')),
      give(join(base, 'real')),
      link(state, join(base, 'real'))
    ),
  },
  {
    name: 'a link to nothing',
    comes: 'refuses',
    prepare: ({ state, base }) => link(state, join(base, 'nowhere')),
  },
  { name: 'a link to itself', comes: 'refuses', prepare: ({ state }) => link(state, state) },
  { name: 'a file', comes: 'refuses', prepare: ({ state }) => writeFileSync(state, '') },
  { name: 'a pipe', comes: 'refuses', prepare: ({ state }) => execFileSync('mkfifo', [state]) },
  { name: 'below a folder for everybody', comes: 'refuses', prepare: ({ parent }) => mode(parent, 0o777) },
  {
    name: 'ours, below a folder for everybody',
    comes: 'refuses',
    prepare: ({ parent, state }) => (folder(state), mode(parent, 0o777)),
  },
  { name: 'two below a folder for everybody', comes: 'refuses', prepare: ({ base }) => mode(base, 0o777) },
  {
    name: 'below a folder of another user',
    comes: 'refuses',
    prepare: ({ parent, state }) => (folder(state), give(parent)),
  },
  {
    name: 'two below a folder of another user',
    comes: 'refuses',
    prepare: ({ base, state }) => (folder(state), give(base)),
  },
  {
    name: 'below a folder for a foreign group',
    comes: 'refuses',
    prepare: ({ parent, state }) => (folder(state), chownSync(parent, 0, someone), mode(parent, 0o775)),
  },
  {
    name: 'below a link of another user',
    comes: 'refuses',
    prepare: ({ base, parent, state }) => (
      renameSync(parent, join(base, 'real')),
      link(parent, join(base, 'real')),
      folder(state),
      lchownSync(parent, someone, someone)
    ),
  },
  {
    name: 'a link of ours into a folder for everybody',
    comes: 'refuses',
    prepare: ({ base, state }) => (
      folder(join(base, 'open/real')),
      mode(join(base, 'open'), 0o777),
      link(state, join(base, 'open/real'))
    ),
  },
];

/** Damage to a store that was good, by whoever could write to it once. */
export const damages = [
  ...['pins', 'seal', 'secret'].map((name) => ({
    name: `${name} of another user`,
    damage: (state) => give(join(state, name)),
  })),
  ...['pins', 'seal', 'secret'].map((name) => ({
    name: `${name} for everybody`,
    damage: (state) => mode(join(state, name), 0o777),
  })),
  ...['pins', 'seal', 'secret'].map((name) => ({
    name: `${name} a link`,
    damage: (state) => (
      renameSync(join(state, name), join(dirname(state), name)),
      symlinkSync(join(dirname(state), name), join(state, name))
    ),
  })),
  { name: 'seal a folder', damage: (state) => (rmSync(join(state, 'seal')), mkdirSync(join(state, 'seal'))) },
  { name: 'local-ca for everybody', damage: (state) => mode(join(state, 'local-ca'), 0o777) },
  {
    name: 'local-ca a link',
    damage: (state) => (
      renameSync(join(state, 'local-ca'), join(dirname(state), 'ca')),
      symlinkSync(join(dirname(state), 'ca'), join(state, 'local-ca'))
    ),
  },
  { name: 'key of the local CA of another user', damage: (state) => give(join(state, 'local-ca/ca.key')) },
];

// What can happen to the files of a state directory, as a list: each case changes a copy of it. Nothing here judges.

import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';

const kilobyte = 1024;

/** Paths of all files below, from there on, in order. */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .toSorted();
}

/**
 * `{name, hurt}` each, where `hurt(folder)` damages that copy of `now`; `older` is a copy of the same state some changes
 * ago. Parts out of step come first, then, in an order drawn by chance: every kilobyte of every file is flipped once and is
 * where the file is cut once.
 */
export function damages({ now, older, chance }) {
  const files = filesIn(now);
  const single = files.flatMap((file) => ofFile(file, { now, older, chance }));
  return [
    ...ofFolders({ now, older }),
    ...blindAndBack({ older }),
    ...chance.shuffled([...single, ...twoFlips(files, { now, chance })]),
  ];
}

function ofFile(file, { now, older, chance }) {
  const { size } = statSync(join(now, file));
  const at = (folder) => join(folder, file);
  const cases = [
    { name: `${file} deleted`, hurt: (folder) => rmSync(at(folder)) },
    { name: `${file} emptied`, hurt: (folder) => truncateSync(at(folder), 0) },
    { name: `${file} with bytes behind it`, hurt: (folder) => appendFileSync(at(folder), '\0garbage') },
    { name: `${file} twice`, hurt: (folder) => appendFileSync(at(folder), readFileSync(at(folder))) },
    { name: `${file} all zeros`, hurt: (folder) => writeFileSync(at(folder), Buffer.alloc(size)) },
  ];
  for (let place = 0; place < size; place += kilobyte) {
    const offset = place + chance.below(Math.min(kilobyte, size - place));
    const bit = 1 << chance.below(8);
    cases.push(
      { name: `${file} bit ${bit} flipped at ${offset}`, hurt: (folder) => flip(at(folder), offset, bit) },
      { name: `${file} cut at ${offset}`, hurt: (folder) => truncateSync(at(folder), offset) },
      { name: `${file} zeros from ${place}`, hurt: (folder) => blank(at(folder), place) },
    );
  }
  if (existsSync(join(older, file)) && !readFileSync(join(older, file)).equals(readFileSync(at(now))))
    cases.push({ name: `${file} of before`, hurt: (folder) => cpSync(join(older, file), at(folder)) });
  return cases;
}

function flip(path, offset, bit) {
  const bytes = readFileSync(path);
  bytes[offset] ^= bit;
  writeFileSync(path, bytes);
}

function blank(path, from) {
  const bytes = readFileSync(path);
  bytes.fill(0, from, Math.min(from + 512, bytes.length));
  writeFileSync(path, bytes);
}

const gone = (...parts) => ({
  name: `${parts.join(' and ')} gone`,
  hurt: (folder) => parts.forEach((part) => rmSync(join(folder, part), { recursive: true, force: true })),
});

/** Parts of the store out of step with each other. All of them put back together is a state nobody can tell from the real one. */
function ofFolders({ now, older }) {
  const back = (...parts) => ({
    name: `${parts.join(' and ')} of before`,
    hurt(folder) {
      for (const part of parts) {
        rmSync(join(folder, part), { recursive: true, force: true });
        if (existsSync(join(older, part))) cpSync(join(older, part), join(folder, part), { recursive: true });
      }
    },
  });
  const seals = existsSync(join(now, 'seal-changes')) ? ['seal', 'seal-changes'] : ['seal'];
  return [
    back('pins'),
    back(...seals),
    gone('pins'),
    gone(...seals),
    gone('secret', 'pins'),
    gone('secret', ...seals),
    {
      name: 'the database emptied',
      hurt: (folder) =>
        readdirSync(join(folder, 'pins')).forEach((file) => rmSync(join(folder, 'pins', file))),
    },
    { name: 'another database beside it', hurt: (folder) => swapTables(folder) },
  ];
}

/** The database put back, and at the same time the seal that would tell is not to be read. */
function blindAndBack({ older }) {
  const blinded = {
    'a seal that is emptied': (folder) => truncateSync(join(folder, 'seal'), 0),
    'a seal that is flipped': (folder) => flip(join(folder, 'seal'), 100, 1),
    'a seal that is gone': (folder) => rmSync(join(folder, 'seal')),
  };
  return Object.entries(blinded).map(([name, blind]) => ({
    name: `the database of before, and ${name}`,
    hurt(folder) {
      rmSync(join(folder, 'pins'), { recursive: true });
      cpSync(join(older, 'pins'), join(folder, 'pins'), { recursive: true });
      blind(folder);
    },
  }));
}

/** The two largest files of the database in each other's place. */
function swapTables(folder) {
  const pins = join(folder, 'pins');
  const [one, other] = readdirSync(pins)
    .map((file) => join(pins, file))
    .toSorted((a, b) => statSync(b).size - statSync(a).size);
  const bytes = readFileSync(one);
  writeFileSync(one, readFileSync(other));
  writeFileSync(other, bytes);
}

/** Two files at once: what a disk does that loses a block of each. */
function twoFlips(files, { now, chance }) {
  const full = files.filter((file) => statSync(join(now, file)).size > 0);
  return Array.from({ length: 40 }, () => {
    const places = [chance.pick(full), chance.pick(full)].map((file) => [
      file,
      chance.below(statSync(join(now, file)).size),
    ]);
    return {
      name: places.map(([file, offset]) => `${file} flipped at ${offset}`).join(' and '),
      hurt: (folder) => places.forEach(([file, offset]) => flip(join(folder, file), offset, 0x10)),
    };
  });
}

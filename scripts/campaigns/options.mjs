// The words behind scripts/campaign.

import { parseArgs } from 'node:util';
import { resolve } from 'node:path';

export const usage = `Usage: scripts/campaign [--short | --long] [options]

Attacks, damages and loads letterlock as it is built (dist/), and prints one line of figures for each campaign.
Exit code: 0 nothing was found, 1 something was found or a campaign could not run, 2 words not understood.

  --short           some minutes for all: what CI runs (the default)
  --long            hours for all
  --only NAME,...   these campaigns; --list prints them
  --seconds N       so many seconds for each instead
  --seed N          repeat what was drawn by chance in a run that printed this seed
  --planted         prove the campaigns: break a copy of the sources on purpose, one place at a time, and run the campaign
                    that has to find it, short; exit code 1 when one is not found
  --build DIR       a build to use instead of dist/
  --json FILE       write all figures and findings there
`;

const whole = (text, name) => {
  if (text === undefined) return null;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new TypeError(`--${name} takes a whole number from 1`);
  return number;
};

/** Throws a TypeError with a sentence for what it does not understand. */
export function readOptions(words) {
  const flag = { type: 'boolean', default: false };
  const text = { type: 'string' };
  const options = {
    short: flag,
    long: flag,
    planted: flag,
    list: flag,
    help: flag,
    only: text,
    seconds: text,
    seed: text,
    build: text,
    json: text,
  };
  const { values } = parseArgs({ args: words, options });
  if (values.short && values.long) throw new TypeError('--short or --long, not both');
  return {
    ...values,
    mode: values.long ? 'long' : 'short',
    only: values.only === undefined ? [] : values.only.split(',').filter(Boolean),
    seconds: whole(values.seconds, 'seconds'),
    seed: whole(values.seed, 'seed'),
    build: values.build === undefined ? null : resolve(values.build),
    json: values.json === undefined ? null : resolve(values.json),
  };
}

/** Those asked for, in the order of the list; a TypeError for a name that is none. */
export function chosen(campaigns, only) {
  const unknown = only.filter((name) => !campaigns.some((campaign) => campaign.name === name));
  if (unknown.length > 0) throw new TypeError(`no campaign is called ${unknown.join(', ')}: see --list`);
  return campaigns.filter(({ name }) => only.length === 0 || only.includes(name));
}

// Every target. Each is a file that exports `target`:
//
//   name        of its rows in test/fuzz/rows/, and of LETTERLOCK_FUZZ_TARGETS
//   files       modules whose coverage leads the way
//   dictionary  words that a mutant may get
//   longest     bytes of a mutant; 8192 unless said otherwise
//   mostMs      `(length) => milliseconds` of CPU that one run may take; 150 and one for each 20 bytes unless said otherwise
//   prepare     `(from, folder) => Promise<{seeds, run, values?}>`, where `from('src/trust/der')` is a module of the build
//               (or of the sources, bundled), and `folder` is its own
//     seeds       inputs to begin with: bytes, or texts in Latin-1 (UTF-8 where there is a character beyond)
//     run         one input; throws where a rule does not hold (engine/broken.mjs). It may be asynchronous
//     values      `(fastCheck) => arbitrary` of values that are given as JSON
//   structured  the share of time for such values; 0.4 unless said otherwise

import { target as admin } from './admin.mjs';
import { target as certificate } from './certificate.mjs';
import { target as config } from './config.mjs';
import { target as dane } from './dane.mjs';
import { target as der } from './der.mjs';
import { target as dns } from './dns.mjs';
import { target as endpoint } from './endpoint.mjs';
import { target as escape } from './escape.mjs';
import { target as events } from './events.mjs';
import { target as farewell } from './farewell.mjs';
import { target as firstBytes } from './first-bytes.mjs';
import { target as formats } from './formats.mjs';
import { target as greeting } from './greeting.mjs';
import { target as localPrologue } from './local-prologue.mjs';
import { target as loginFilter } from './login-filter.mjs';
import { target as names } from './names.mjs';
import { target as prologue } from './prologue.mjs';
import { target as records } from './records.mjs';
import { target as revocation } from './revocation.mjs';
import { target as seal } from './seal.mjs';
import { target as sharing } from './sharing.mjs';
import { target as urls } from './urls.mjs';
import { target as via } from './via.mjs';
import { target as yaml } from './yaml.mjs';

export const targets = [
  prologue,
  localPrologue,
  greeting,
  loginFilter,
  firstBytes,
  farewell,
  der,
  certificate,
  names,
  revocation,
  dane,
  escape,
  endpoint,
  yaml,
  config,
  urls,
  formats,
  admin,
  events,
  dns,
  via,
  records,
  seal,
  sharing,
];

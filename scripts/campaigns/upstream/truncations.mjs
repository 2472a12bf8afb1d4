// A dialogue before TLS that breaks off: after no byte, one byte, half a line, all but the line feed, whole lines; by a FIN, a
// reset, or silence. Made from what a good server says.

import { inClear, protocols, script } from './script.mjs';

const endings = { fin: 'no-greeting', rst: 'no-greeting', stay: 'timeout' };
const places = {
  'before a byte': () => 0,
  'after one byte': () => 1,
  'half way': (text) => text.length >> 1,
  'before the line feed': (text) => text.length - 1,
  'after the last line': (text) => text.length,
};

function* cutsOf(protocol) {
  const steps = inClear(protocol);
  const names = protocol === 'sieve' ? ['greeting', 'go-ahead'] : ['greeting', 'list', 'go-ahead'];
  const said = steps.flatMap((step, at) => (step.say === undefined ? [] : [at]));
  for (const [turn, at] of said.entries())
    for (const [place, of] of Object.entries(places))
      for (const end of Object.keys(endings)) {
        const text = steps[at].say.slice(0, of(steps[at].say));
        // Whole, the go-ahead is followed by a handshake: those are cut elsewhere.
        if (turn === said.length - 1 && text.length === steps[at].say.length) continue;
        yield {
          name: `the ${names[turn]} ${place}, then ${end}`,
          steps: [...steps.slice(0, at), { say: text }, { wait: 50 }, { end }],
          end,
          silent: turn === 0 && text === '',
        };
      }
}

export const truncationScripts = protocols.flatMap((protocol) =>
  [...cutsOf(protocol)].map(({ name, steps, end, silent }) =>
    script({
      kind: 'truncation in clear',
      name,
      protocol,
      mode: 'starttls',
      steps,
      ends: silent ? 'no-greeting' : endings[end],
      waits: end === 'stay' ? ['greeting'] : [],
      retried: end === 'rst',
    }),
  ),
);

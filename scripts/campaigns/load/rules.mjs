// What the clients of a server whose key turns have to be told, and when. A client is told somewhere between its beginning
// and what it hears: whatever held at a moment of that time is right, and nothing else. Pure.

export class Rules {
  #rules = [];

  /** From `from` on until the next of this name is in force; `served` is the number of the key, or `refused` the words. */
  add({ name, served = null, refused = null, from, inForce }) {
    const before = this.#rules.findLast((rule) => rule.name === name);
    if (before !== undefined) before.until = inForce;
    this.#rules.push({ name, served, refused, from, until: Infinity });
  }

  /** `told` by `fleeting.mjs`: how many had to be refused, and what was told to whom it must not be. */
  judge(told) {
    const wrong = [];
    let due = 0;
    for (const one of told) {
      const held = this.#rules.filter(
        ({ name, from, until }) => name === one.name && from <= one.at && until >= one.began,
      );
      if (held.length > 0 && held.every(({ refused }) => refused !== null)) due += 1;
      if (!held.some((rule) => fits(rule, one))) wrong.push(sentence(one, held));
    }
    return { due, wrong };
  }
}

const fits = ({ served, refused }, told) =>
  refused === null ? told.turn === served && told.refused === null : told.refused === refused;

const sentence = ({ name, turn, refused }, held) =>
  `a client of ${name} was ${refused === null ? `served under key ${turn}` : `refused (${refused})`}, when what held was ${held.map((rule) => rule.refused ?? `key ${rule.served}`).join(' or ')}`;

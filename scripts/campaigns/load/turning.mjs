// A server whose key turns while others go on. Until somebody approves the new key its clients are refused, in words, and
// the server is sent nothing; who came before stays. After the approval service is back, the old key is over, and a
// server that shows it once more is refused again. And a server whose first key waits for approval.

import { pause } from '../../benchmark/growth-world.mjs';
import { Rules } from './rules.mjs';

const changed = 'its key changed';
const waiting = 'its key is new and waits for approval';

export class Turning {
  approvals = 0;
  #world;
  #found;
  #stay;
  #rules = new Rules();
  #turn = 1;
  #pin = null;

  /** `stay`: how many clients stay with it. */
  constructor(world, { found, stay }) {
    this.#world = world;
    this.#found = found;
    this.#stay = stay;
    this.#rules.add({ name: 'turning', served: 1, from: 0, inForce: 0 });
    this.#rules.add({ name: 'held', refused: waiting, from: 0, inForce: 0 });
  }

  judge(told) {
    return this.#rules.judge(told);
  }

  /** What is known by then, and what is in force when it is done. */
  async #ruled(rule, act) {
    const from = Date.now();
    const done = await act();
    this.#rules.add({ ...rule, from, inForce: Date.now() });
    return done;
  }

  async approveHeld() {
    const { name, endpoint, pin } = this.#world.routes.held;
    await this.#ruled({ name, served: 1 }, () => this.#approve({ endpoint, pin, endOld: false }));
  }

  async changeKey() {
    const { turn, pin } = await this.#ruled({ name: 'turning', refused: changed }, () => this.#world.turn());
    this.#turn = turn;
    this.#pin = pin;
  }

  /** Its new key is approved, and the old one ends: so do the sessions that rest on it, at once and no others. */
  async approveKey() {
    const { helpers, routes } = this.#world;
    const { name, endpoint } = routes.turning;
    const heard = await helpers.turningServer.ask('heard', { name, turn: this.#turn });
    if (heard > 0) this.#found(`the server of a key that nobody approved was sent ${heard} bytes`);
    await this.#stillThere('while its key is refused');
    const before = await this.#revoked();
    const were = await helpers.idle.ask('release', { name });
    await this.#ruled({ name, served: this.#turn }, () =>
      this.#approve({ endpoint, pin: this.#pin, endOld: true }),
    );
    const left = await helpers.idle.ask('left', { withinMs: 5000 });
    if (left > 0) this.#found(`${left} of ${were} sessions on a key that is over went on for 5 s`);
    const revoked = (await this.#revoked()) - before;
    if (revoked !== were)
      this.#found(`${were} sessions rested on the key that is over, and ${revoked} were counted as revoked`);
    await this.stay();
  }

  /** As many clients as before stay with it again. */
  async stay() {
    const { name, port, login } = this.#world.routes.turning;
    const open = await this.#world.helpers.idle.ask(
      'open',
      { name, port, login, count: this.#stay },
      120_000,
    );
    if (open !== this.#stay)
      this.#found(`${open} of ${this.#stay} clients could stay with the server of the approved key`);
  }

  async showOldKey() {
    await this.#ruled({ name: 'turning', refused: changed }, () => this.#world.show(this.#turn - 1));
  }

  /** A refusal is repeated from memory for a while, unless somebody finds that all is well. */
  async showNewKey() {
    const { name, endpoint } = this.#world.routes.turning;
    await this.#ruled({ name, served: this.#turn }, async () => {
      await this.#world.show(this.#turn);
      const { result, reason } = await this.#world.api('/v1/probes', { endpoint });
      if (result !== 'accepted')
        this.#found(`a probe of the server that shows its approved key again: ${result} (${reason})`);
    });
    await this.#stillThere('after its server showed the old key to others');
  }

  async #stillThere(when) {
    const { asked } = await this.#world.helpers.idle.ask('everyone', { name: 'turning' }, 120_000);
    if (asked !== this.#stay)
      this.#found(`${asked} of ${this.#stay} clients stayed with the turning server ${when}`);
  }

  async #revoked() {
    const { endpoint } = this.#world.routes.turning;
    return (await this.#world.metrics()).sum('letterlock_sessions_revoked_total', { upstream: endpoint });
  }

  /** The candidate has to be there, since somebody was refused for it; else the key is added, so that all goes on. */
  async #approve({ endpoint, pin, endOld }) {
    const path = `/v1/pins/${encodeURIComponent(endpoint)}`;
    let known = await this.#world.api(path);
    for (
      const deadline = performance.now() + 3000;
      !waits(known, pin) && performance.now() < deadline;
      await pause(100)
    )
      known = await this.#world.api(path);
    if (!waits(known, pin)) {
      this.#found(`the key of ${endpoint} that waits for approval is no candidate`);
      await this.#world.api('/v1/commands', { command: 'add', endpoint, pin, forMs: null, unreject: false });
    }
    const order = {
      command: 'approve',
      endpoint,
      expect: pin,
      forMs: null,
      as: null,
      keep: false,
      endOld,
      unreject: false,
    };
    const { pins } = await this.#world.api('/v1/commands', order);
    const live = pins.pins.filter((one) => one.live).map(({ spki }) => spki);
    if (live.length !== 1 || live[0] !== pin)
      this.#found(`after its approval ${endpoint} has other live pins: ${live.join(' ')}`);
    this.approvals += 1;
  }
}

const waits = ({ candidates }, pin) => candidates.some(({ spki }) => spki === pin);

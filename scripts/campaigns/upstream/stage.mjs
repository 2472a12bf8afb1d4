// A stage is one script on a route of its own: its server, its marks, its clients. What is played on it is written down as
// visits; judging them is the oracle's work.

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { HostileServer } from './hostile-server.mjs';
import { makeSecret, visit } from './mail-client.mjs';
import { limits } from './letterlock.mjs';
import { goodSteps } from './script.mjs';

/** A refusal may take longer than the limits by so much (issue: limits plus 1 s). */
const slackMs = 1000;
/** An IMAP client hears BYE so much later, so that one that comes again at once does so slowly. */
const byeMs = 1500;
/** Both pauses between three rounds of dialling, at their longest. */
const roundsMs = 950;
/** After the bound a visit is given up. */
const patienceMs = 10_000;

const mark = () => `mark${randomBytes(8).toString('hex')}`;

/** For connections made ahead of a client to stand, or to be gone. */
const standMs = 8000;
/** What a connection that stands says when a client comes has left before that client connects. */
const saidMs = 5;

const isOver = ({ stands, goneAt }) => stands || goneAt !== null;

export class Stage {
  visits = [];
  /** Connections made ahead of a client, before the script. */
  ahead = [];
  /** What the resolver says of this one now, `{answer, of}`. */
  zone = { answer: 'right', of: 'good' };
  #identities;
  #tags;
  #deadlineMs;
  #come = () => undefined;
  #clients = new Promise((resolve) => (this.#come = resolve));

  /** `deadlineMs`: after so long a visit is given up; what is owed and some seconds more where it is not said. */
  constructor(name, script, { identities, tags, deadlineMs = null }) {
    this.name = name;
    this.script = script;
    this.#identities = identities;
    this.#tags = tags;
    this.#deadlineMs = deadlineMs;
    this.marks = { clear: mark(), inside: mark(), ahead: mark() };
    this.secret = makeSecret();
    this.server = this.#serverFor(script.steps, script.pace);
    this.second = script.second === undefined ? null : this.#serverFor(this.#goodSteps(), 'whole');
  }

  #serverFor(steps, pace) {
    const { protocol } = this.script;
    return new HostileServer(steps, {
      protocol,
      pace,
      identities: this.#identities,
      marks: this.marks,
      tags: this.#tags,
      clients: this.#clients,
    });
  }

  #goodSteps(identity = 'good') {
    return goodSteps(this.script.protocol, this.script.mode, { identity });
  }

  async open() {
    await this.server.listen();
    await this.second?.listen();
  }

  /** The longest that a client may wait for a word or an end, milliseconds. */
  get boundMs() {
    const { waits, protocol, dials, retried } = this.script;
    const runOut = waits.reduce((sum, limit) => sum + limits[limit] * 1000, 0);
    return runOut + slackMs + (protocol === 'imap' ? byeMs : 0) + (dials === 3 || retried ? roundsMs : 0);
  }

  /** One good session, before the script. */
  async learn(port) {
    const { learnsFrom, dns, dnsBefore, fills } = this.script;
    this.zone = { answer: dnsBefore, of: learnsFrom };
    this.server.play(this.#goodSteps(learnsFrom), 'whole', fills);
    const visited = await this.#visit(port, 'polite');
    if (fills !== null) await this.#filled();
    this.zone = dns ?? this.zone;
    this.server.play(this.script.steps, this.script.pace);
    return visited;
  }

  /** Until those made ahead of a client stand, or went. */
  async #filled() {
    const { talks } = this.server;
    const { warm } = this.script.route;
    for (const began = performance.now(); performance.now() - began < standMs; await delay(20)) {
      this.ahead = talks.slice(1);
      const gone = this.ahead.some(({ goneAt }) => goneAt !== null);
      if (this.ahead.length >= (gone ? 1 : warm) && this.ahead.every(isOver)) return;
    }
  }

  /** The script, with all its clients. */
  async play(port) {
    const { client, again, crowd, dns, fills } = this.script;
    this.zone = dns ?? this.zone;
    if (fills !== null) {
      this.#come();
      await delay(saidMs);
    }
    this.visits = await Promise.all(Array.from({ length: crowd }, () => this.#visit(port, client)));
    for (let more = 0; more < again; more += 1) this.visits.push(await this.#visit(port, client));
    this.playedAt = performance.now();
    // Written down now: the next to play this stage begins anew.
    this.talks = this.server.talks;
    this.secondTalks = this.second?.talks ?? [];
  }

  /** A good session on the same route, after the script. */
  async after(port) {
    this.zone = { answer: 'right', of: 'good' };
    this.server.play(this.#goodSteps());
    return this.#visit(port, 'polite');
  }

  /** The script once more, alone. */
  async replay(port) {
    this.server.play(this.script.steps, this.script.pace);
    await this.play(port);
  }

  #visit(port, behaviour) {
    const { protocol } = this.script;
    return visit({
      port,
      protocol,
      secret: this.secret,
      behaviour,
      deadlineMs: this.#deadlineMs ?? this.boundMs + patienceMs,
    });
  }

  close() {
    for (const talk of this.ahead) talk.destroy();
    this.server.close();
    this.second?.close();
  }
}

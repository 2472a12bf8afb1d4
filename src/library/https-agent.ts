// An agent for node:https: its requests go over connections that were vouched for.

import { Agent, type AgentOptions } from 'node:https';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

type Connect = (options: ConnectionOptions) => TLSSocket;

export class VouchingAgent extends Agent {
  readonly #connect: Connect;

  constructor(connect: Connect, options: AgentOptions = {}) {
    super(options);
    this.#connect = connect;
  }

  // Node's own keeps sessions and resumes them, and a resumed one shows no certificate.
  override createConnection(options: ConnectionOptions): TLSSocket {
    return this.#connect(options);
  }
}

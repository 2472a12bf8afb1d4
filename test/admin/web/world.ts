// A door with an engine on a memory store behind it, a page of two files, and a client that sends exactly the
// headers it is told to.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Operator } from '../../../src/admin/operator.ts';
import { operateOn } from '../../../src/admin/tofu-operator.ts';
import { loadAssets } from '../../../src/admin/web/assets.ts';
import { openDoor } from '../../../src/admin/web/door.ts';
import type { DoorOptions, WebDoor } from '../../../src/admin/web/door.ts';
import { PeerTable } from '../../../src/proxy/peer-table.ts';
import { openMemoryStore } from '../../../src/store/memory.ts';
import { makeStory, openTofu, silent, tell } from '../world.ts';
import type { Story } from '../world.ts';

export const script = 'document.title = "built";\n';

/** A built page: `/`, and two files under `/assets/`. */
function builtFolder(app: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'letterlock-page-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><html lang="en"><head><title>page</title><link rel="stylesheet" href="/assets/app.css">' +
      '<script src="/assets/app-ABCD1234.js" defer></script></head><body><main>letterlock</main></body></html>\n',
  );
  writeFileSync(join(folder, 'assets', 'app-ABCD1234.js'), app);
  writeFileSync(join(folder, 'assets', 'app.css'), 'main { color: green }\n');
  return folder;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly json: () => unknown;
}

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

interface Extras {
  /** What only a running proxy could tell. */
  readonly live?: Partial<typeof silent>;
  /** The page's script. */
  readonly app?: string;
}

export class World {
  readonly served: string[] = [];
  readonly rejected: string[] = [];
  readonly opened: string[] = [];
  /** Milliseconds since 1970; a test moves it. */
  now = 1_800_000_000_000;
  /** Table of the kernel, as the door reads it. */
  readonly operator: Operator;
  readonly door: WebDoor;
  readonly story: Story;
  readonly #folder: string;

  private constructor(parts: Pick<World, 'operator' | 'door' | 'story'>, folder: string) {
    this.operator = parts.operator;
    this.door = parts.door;
    this.story = parts.story;
    this.#folder = folder;
  }

  static async open({ live, app, ...changes }: Partial<DoorOptions> & Extras = {}): Promise<World> {
    const store = openMemoryStore();
    const tofu = await openTofu(store);
    const story = await makeStory();
    await tell(tofu, story);
    const operator = operateOn({
      source: 'daemon',
      tofu,
      store,
      origin: 'admin',
      now: Date.now,
      settings: () => new Map(),
      live: { ...silent, ...live },
      status: () => Promise.reject(new TypeError('a secret of the inside')),
      reload: async () => ({ reloaded: true, problems: [] }),
      close: async () => undefined,
    });
    const folder = builtFolder(app ?? script);
    const late: { world: World | null } = { world: null };
    const door = await openDoor({
      listen: { host: '127.0.0.1', port: 0 },
      assets: await loadAssets(folder),
      operator,
      now: () => late.world?.now ?? 0,
      served: (route, status) => late.world?.served.push(`${route} ${status}`),
      rejected: (reason) => late.world?.rejected.push(reason),
      opened: (scope) => late.world?.opened.push(scope),
      ...changes,
    });
    const world = new World({ operator, door, story }, folder);
    late.world = world;
    return world;
  }

  get port(): number {
    return Number(this.door.address.split(':').at(-1));
  }

  get origin(): string {
    return `http://${this.door.address}`;
  }

  async send({ method = 'GET', path = '/', headers = {}, body }: Sent): Promise<Reply> {
    const outgoing = request({
      host: '127.0.0.1',
      port: this.port,
      method,
      path,
      headers: { Host: this.door.address, ...headers },
      agent: false,
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      outgoing.once('error', reject);
    });
    outgoing.end(body);
    const response = await answered;
    const whole = await text(response);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text: whole,
      json: (): unknown => JSON.parse(whole),
    };
  }

  /** As our own page asks, with a browser's headers. */
  ask(path: string, sent: Sent & { readonly token?: string } = {}): Promise<Reply> {
    const method = sent.method ?? 'GET';
    return this.send({
      path,
      ...sent,
      headers: {
        'Sec-Fetch-Site': 'same-origin',
        'Sec-Fetch-Mode': 'cors',
        'Sec-Fetch-Dest': 'empty',
        ...(method === 'GET' ? {} : { Origin: this.origin }),
        ...(sent.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(sent.token === undefined ? {} : { Authorization: `Bearer ${sent.token}` }),
        ...sent.headers,
      },
    });
  }

  /** The code of a new address. */
  code(scope: 'read' | 'admin' = 'read', uid: number | null = null): string {
    return new URL(this.door.link({ scope, uid }).url).hash.slice('#code='.length);
  }

  exchange(code: string, headers: OutgoingHttpHeaders = {}): Promise<Reply> {
    return this.ask('/session', { method: 'POST', body: JSON.stringify({ code }), headers });
  }

  async token(scope: 'read' | 'admin' = 'read'): Promise<string> {
    const value = (await this.exchange(this.code(scope))).json();
    if (typeof value === 'object' && value !== null && 'token' in value) return String(value.token);
    throw new Error('no token');
  }

  async close(): Promise<void> {
    await this.door.close();
    rmSync(this.#folder, { recursive: true });
  }
}

/** A kernel whose table says that connections belong to this user; null: it says nothing. */
export const peersOf = (uid: () => number | null): PeerTable =>
  new (class extends PeerTable {
    override uidOf(): Promise<number | null> {
      return Promise.resolve(uid());
    }
  })();

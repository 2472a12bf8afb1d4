// The hooks of a configuration, with what they name on the disk: programs must be there, be ours and be closed to others,
// and secrets must be readable. Read anew with every reload.

import { access, constants, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { ConfigProblem } from '../config.ts';
import { usualClasses } from '../ops/hooks/classes.ts';
import type { Hook } from '../ops/hooks/hook.ts';
import { newSecretHint, secretKey } from '../ops/hooks/signature.ts';
import { absolutePath, type Ground } from './ground.ts';
import { hookDefaults, type RawHook } from './hook-schema.ts';
import { canonicalPin } from './neighbours.ts';
import type { OriginRow, RowValue } from './origin-row.ts';
import { problemAt, type Findings, type Path } from './problem.ts';
import { readSmallFile } from './small-file.ts';
import { parseWebhook, webhookText } from './webhook-url.ts';

/** The hooks that can be used; for each of the others there is a problem. */
export async function readHooks(ground: Ground): Promise<Findings & { readonly hooks: readonly Hook[] }> {
  const found = await Promise.all(
    (ground.raw.hooks ?? []).map((raw, index) => new Reading(ground, index).read(raw)),
  );
  return {
    hooks: found.flatMap(({ hook }) => hook ?? []),
    problems: found.flatMap(({ problems }) => problems),
    warnings: found.flatMap(({ warnings }) => warnings),
  };
}

const anchorSources = (caFile: string | readonly string[]): readonly string[] => [caFile].flat();

class Reading {
  readonly #ground: Ground;
  readonly #path: Path;
  readonly #problems: ConfigProblem[] = [];
  readonly #warnings: ConfigProblem[] = [];

  constructor(ground: Ground, index: number) {
    this.#ground = ground;
    this.#path = ['hooks', index];
  }

  async read(raw: RawHook): Promise<Findings & { readonly hook: Hook | null }> {
    const base = {
      name: raw.name,
      on: [...new Set(raw.on ?? usualClasses)],
      timeoutMs: (raw.timeoutSeconds ?? hookDefaults.timeoutSeconds) * 1000,
      repeatMs: (raw.repeatMinutes ?? hookDefaults.repeatMinutes) * 60_000,
    };
    const hook: Hook | null =
      raw.exec === undefined ? await this.#webhook(raw, base) : await this.#exec(raw.exec, base);
    return { hook, problems: this.#problems, warnings: this.#warnings };
  }

  async #exec(
    [written = '', ...args]: readonly string[],
    base: Pick<Hook, 'name' | 'on' | 'timeoutMs' | 'repeatMs'>,
  ): Promise<Hook | null> {
    const program = await this.#program(written);
    return program === null ? null : { ...base, kind: 'exec', argv: [program, ...args] };
  }

  /** A word without a slash is looked for in PATH, now and not at the event. */
  async #program(written: string): Promise<string | null> {
    if (!written.includes('/')) {
      const places = (this.#ground.home.env['PATH'] ?? '').split(':').filter(isAbsolute);
      for (const place of places) {
        const path = join(place, written);
        if (await isProgram(path)) return this.#closedProgram(path);
      }
      this.#problem('exec', `there is no program ${JSON.stringify(written)} in PATH`, 'write its path');
      return null;
    }
    const path = absolutePath(this.#ground, [...this.#path, 'exec'], written);
    if (await isProgram(path)) return this.#closedProgram(path);
    const there = await stat(path).then(
      (found) => found.isFile(),
      () => false,
    );
    if (there) this.#problem('exec', `${path} cannot be executed`, `chmod +x ${path}`);
    else this.#problem('exec', `${path} is not there, or no program`, 'check the path and its permissions');
    return null;
  }

  /** What everybody may write, everybody may have run by letterlock. */
  async #closedProgram(path: string): Promise<string | null> {
    const { mode, uid } = await stat(path);
    if ((mode & 0o002) !== 0) {
      this.#problem('exec', `every user of this machine can change ${path}`, `chmod o-w ${path}`);
      return null;
    }
    const own = this.#ground.home.uid;
    if (uid !== 0 && own !== null && uid !== own)
      this.#warning('exec', `${path} belongs to uid ${uid}, who can change what letterlock runs`, null);
    return path;
  }

  async #webhook(
    raw: RawHook,
    base: Pick<Hook, 'name' | 'on' | 'timeoutMs' | 'repeatMs'>,
  ): Promise<Hook | null> {
    const secret = raw.secretFile === undefined ? raw.secret : await this.#secretIn(raw.secretFile);
    const pins = [...new Set((raw.pins ?? []).map(canonicalPin))];
    const sources = raw.caFile ?? (pins.length > 0 ? null : 'system');
    const anchors = sources === null ? null : anchorSources(sources).map((source) => this.#anchor(source));
    if (anchors !== null) await this.#checkAnchors(anchors.filter((source) => source !== 'system'));
    if (raw.webhook === undefined || secret === undefined || secret === null) return null;
    const retries = raw.retries ?? hookDefaults.retries;
    return { ...base, kind: 'webhook', url: parseWebhook(raw.webhook), secret, anchors, pins, retries };
  }

  #anchor(source: string): string {
    return source === 'system' ? source : absolutePath(this.#ground, [...this.#path, 'caFile'], source);
  }

  async #checkAnchors(files: readonly string[]): Promise<void> {
    if (files.length === 0) return;
    const { AnchorError, loadAnchors } = await import('../net/anchors.ts');
    try {
      await loadAnchors(files);
    } catch (error) {
      if (!(error instanceof AnchorError)) throw error;
      this.#problem('caFile', error.message, error.hint);
    }
  }

  async #secretIn(written: string): Promise<string | null> {
    const path = absolutePath(this.#ground, [...this.#path, 'secretFile'], written);
    const file = await readSmallFile(path);
    if (typeof file === 'string') {
      this.#problem('secretFile', `cannot read ${path} (${file})`, 'check the path and its permissions');
      return null;
    }
    if (file.openToAll)
      this.#warning('secretFile', `every user of this machine can read ${path}`, `chmod 600 ${path}`);
    const secret = file.text.trim();
    const key = secretKey(secret);
    if (typeof key !== 'string') return secret;
    this.#problem('secretFile', `${path} holds no secret: ${key}`, newSecretHint);
    return null;
  }

  #problem(key: string, message: string, hint: string | null): void {
    this.#problems.push(this.#found(key, message, hint));
  }

  #warning(key: string, message: string, hint: string | null): void {
    this.#warnings.push(this.#found(key, message, hint));
  }

  #found(key: string, message: string, hint: string | null): ConfigProblem {
    return problemAt(this.#ground.layers.locate([...this.#path, key]), `${key}: ${message}`, hint);
  }
}

const isProgram = (path: string): Promise<boolean> =>
  Promise.all([stat(path), access(path, constants.X_OK)]).then(
    ([found]) => found.isFile(),
    () => false,
  );

/** The hook with stars for what is secret. */
export const shownHook = (hook: Hook): Hook =>
  hook.kind === 'exec'
    ? hook
    : { ...hook, secret: '***', url: { ...hook.url, path: hook.url.path === '/' ? '/' : '/***' } };

/** For `config show`, of hooks that are all right. */
export function hookRows(
  hooks: readonly Hook[],
  ground: Ground,
  row: (path: Path, value: RowValue) => OriginRow,
): readonly OriginRow[] {
  return hooks.flatMap((hook, index) => {
    const own = (key: string, value: RowValue): OriginRow => row(['hooks', index, key], value);
    const common = [
      own('on', hook.on),
      own('timeoutSeconds', hook.timeoutMs / 1000),
      own('repeatMinutes', hook.repeatMs / 60_000),
    ];
    const secretRow = (file: string | undefined): OriginRow =>
      file === undefined
        ? own('secret', '***')
        : own('secretFile', absolutePath(ground, ['hooks', index, 'secretFile'], file));
    if (hook.kind === 'exec') return [own('name', hook.name), own('exec', hook.argv), ...common];
    return [
      own('name', hook.name),
      own('webhook', webhookText(hook.url)),
      secretRow(ground.raw.hooks?.[index]?.secretFile),
      ...(hook.anchors === null || hook.url.scheme === 'http' ? [] : [own('caFile', hook.anchors)]),
      ...(hook.pins.length === 0 ? [] : [own('pins', hook.pins)]),
      own('retries', hook.retries),
      ...common,
    ];
  });
}

// What the schema knows of keys: those allowed at a path, and those that environment and flags can set.

import * as z from 'zod/mini';
import { configSchema } from './schema.ts';

/** The keys allowed at a path of the schema, for "did you mean"; empty where there are none. */
export function keysAt(path: readonly (string | number)[]): readonly string[] {
  let schemas: readonly unknown[] = formsOf(configSchema);
  for (const step of path) schemas = schemas.flatMap((schema) => formsOf(childOf(schema, step)));
  const end = schemas.find((schema) => schema instanceof z.ZodMiniObject);
  return end === undefined ? [] : Object.keys(end.def.shape);
}

function childOf(schema: unknown, step: string | number): unknown {
  if (schema instanceof z.ZodMiniObject) return (schema.def.shape as Record<string, unknown>)[String(step)];
  if (schema instanceof z.ZodMiniArray && typeof step === 'number') return schema.def.element;
  return undefined;
}

/** The schemas of all forms a value may have. */
function formsOf(schema: unknown): readonly unknown[] {
  if (schema instanceof z.ZodMiniOptional || schema instanceof z.ZodMiniNullable)
    return formsOf(schema.def.innerType);
  if (schema instanceof z.ZodMiniUnion) return schema.def.options.flatMap(formsOf);
  return [schema];
}

/** A setting outside routes and hooks, by path. */
export interface SettingPath {
  readonly path: readonly string[];
  readonly form: 'text' | 'whole' | 'list';
}

/** What environment variables and flags can set. */
export function settingPaths(): readonly SettingPath[] {
  const walk = (schema: unknown, path: readonly string[]): readonly SettingPath[] => {
    if (path[0] === 'routes' || path[0] === 'hooks') return [];
    const forms = formsOf(schema);
    const mapping = forms.find((form) => form instanceof z.ZodMiniObject);
    const isOneWord = ['admin.socket', 'resolver'].includes(path.join('.'));
    if (mapping !== undefined && !isOneWord)
      return Object.entries(mapping.def.shape).flatMap(([key, value]) => walk(value, [...path, key]));
    if (isOneWord) return [{ path, form: 'text' }];
    if (forms.some((form) => form instanceof z.ZodMiniNumber)) return [{ path, form: 'whole' }];
    return [{ path, form: forms.some((form) => form instanceof z.ZodMiniArray) ? 'list' : 'text' }];
  };
  return walk(configSchema, []);
}

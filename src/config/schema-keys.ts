// What the schema knows of keys: those allowed at a path, and those that environment and flags can set.

import { z } from 'zod';
import { configSchema } from './schema.ts';

/** The keys allowed at a path of the schema, for "did you mean"; empty where there are none. */
export function keysAt(path: readonly (string | number)[]): readonly string[] {
  let schemas: readonly unknown[] = formsOf(configSchema);
  for (const step of path) schemas = schemas.flatMap((schema) => formsOf(childOf(schema, step)));
  const end = schemas.find((schema) => schema instanceof z.ZodObject);
  return end === undefined ? [] : Object.keys(end.shape);
}

function childOf(schema: unknown, step: string | number): unknown {
  if (schema instanceof z.ZodObject) return (schema.shape as Record<string, unknown>)[String(step)];
  if (schema instanceof z.ZodArray && typeof step === 'number') return schema.element;
  return undefined;
}

/** The schemas of all forms a value may have. */
function formsOf(schema: unknown): readonly unknown[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return formsOf(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(formsOf);
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
    const mapping = forms.find((form) => form instanceof z.ZodObject);
    const isOneWord = ['admin.socket', 'resolver'].includes(path.join('.'));
    if (mapping !== undefined && !isOneWord)
      return Object.entries(mapping.shape).flatMap(([key, value]) => walk(value, [...path, key]));
    if (isOneWord) return [{ path, form: 'text' }];
    if (forms.some((form) => form instanceof z.ZodNumber)) return [{ path, form: 'whole' }];
    return [{ path, form: forms.some((form) => form instanceof z.ZodArray) ? 'list' : 'text' }];
  };
  return walk(configSchema, []);
}

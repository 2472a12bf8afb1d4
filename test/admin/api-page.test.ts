// docs/api.md, made from the table of routes and the schemas: run vitest with -u to write it anew.

import { describe, expect, it } from 'vitest';
import { statuses } from '../../src/admin/api.ts';
import { apiSchema } from '../../src/admin/api-schema.ts';
import { routes, type RouteEntry } from '../../src/admin/routes.ts';

interface Node {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
}

const head = `# The admin API

What the command line and the page use, and what scripts may use: HTTP and JSON on the admin socket of a running daemon. With a
daemon \`letterlock\` itself asks nothing else. This page is generated from \`src/admin/routes.ts\` and the schemas beside it;
\`GET /v1/schema\` gives the same schemas as one JSON Schema document (draft 2020-12).

## How to reach it

The socket is \`admin: {socket: …}\` in the configuration; \`letterlock run\` logs its place as \`admin\`. Whoever may write to it may
approve keys: its mode (0600, or 0660 with a group) is the whole access control, and no program in a browser gets an answer there.

    curl --unix-socket /run/letterlock/admin.sock http://localhost/v1/status
    curl --unix-socket "$S" http://localhost/v1/pins/imap.example.org%3A993
    curl --unix-socket "$S" http://localhost/v1/candidates/7F3AK2QM
    curl --unix-socket "$S" -N 'http://localhost/v1/events?after=0'
    curl --unix-socket "$S" -H 'Content-Type: application/json' \\
         -d '{"endpoint": "imap.example.org:993"}' http://localhost/v1/probes
    curl --unix-socket "$S" -H 'Content-Type: application/json' \\
         -d '{"command": "reject", "endpoint": "imap.example.org:993", "expect": "sha256//…"}' http://localhost/v1/commands

The header \`Host\` is \`localhost\` or \`letterlock\`. A body is \`application/json\`, at most 64 KiB (an import 16 MiB). What stands in
the path is percent-encoded. GET answers HEAD as well; another method is answered 405 with \`Allow\`.

## What stays

The version is in the path. Within \`/v1\` routes, fields and codes are added and none goes or changes its meaning: a reader passes
over fields it does not know, and takes a code it does not know as text. Dates are ISO 8601 in UTC. Text that came with a
certificate is as the server sent it: escape it before it reaches a terminal or a page. A pinned key is never to be shown as
equal to one that a CA verified.

## Routes
`;

const stream = `## The stream of events

\`GET /v1/events\` answers \`text/event-stream\`. It begins with \`event: hello\` ([Hello](#hello)), without an id; then each entry
([Event](#event)) is one event with its \`id\`, its type as \`event\`, and itself as \`data\`. An entry is what the log says at \`info\`
and above, and each session that begins; it holds no credential, no command and no mail.

- Without more, what happens from now on is told. \`?after=N\`, or the header \`Last-Event-ID: N\` of a reader that comes again, begin
  after that entry; \`?after=0\` tells everything that is kept.
- The latest 1000 entries are kept. When entries after the one named are not kept any more, \`hello\` says \`"dropped": true\`: read the
  state anew. Ids rise over restarts too.
- A comment comes every 15 s, so that both sides notice when the other went.
- At most 16 programs follow (then 503 \`too-many-followers\`). A reader that takes nothing for 30 s, or falls 1000 entries behind, is
  broken off; it comes again with its last id.
- The stream ends when the daemon does.
`;

const errors = (): string => `## Errors

Every error is an [Error](#error): \`{"error": {"code", "message", "hint", "exit"}}\`. \`exit\` names the exit code with which
the command line would end (docs/codes.md), and goes with one HTTP status:

| exit | status |
|---|---|
${Object.entries(statuses)
  .filter(([exit]) => exit !== 'done')
  .map(([exit, status]) => `| ${exit} | ${status} |`)
  .join('\n')}

Besides: 403 for what looks like a browser, or names another host; 405 for another method; 413 for a body that is too long; 415
for one that is no JSON by its type; 400 for one that is none by its text.
`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const linkTo = (reference: string): string => {
  const name = reference.replace('#/$defs/', '');
  return `[${name}](#${name.toLowerCase()})`;
};

function typeOf(node: Node): string {
  if (node.$ref !== undefined) return linkTo(node.$ref);
  const forms = node.anyOf ?? node.oneOf;
  if (forms !== undefined) return [...new Set(forms.map(typeOf))].join(' or ');
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum !== undefined)
    return node.enum.length > 12 ? 'a code' : node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.items !== undefined) return `list of ${typeOf(node.items)}`;
  if (node.format === 'date-time') return 'date';
  return [node.type ?? 'anything'].flat().join(' or ');
}

/** Every field below a node, depth first: `lastVerdict.at`, `pins[].until`. */
function fieldsOf(node: Node, path = ''): readonly string[] {
  const forms = node.anyOf ?? node.oneOf ?? [node];
  return forms.flatMap((form) => [
    ...(form.items === undefined ? [] : fieldsOf(form.items, `${path}[]`)),
    ...Object.entries(form.properties ?? {}).flatMap(([name, child]) => {
      const field = path === '' ? name : `${path}.${name}`;
      const optional = form.required?.includes(name) === true ? '' : ' (optional)';
      const row = `| \`${field}\`${optional} | ${cell(typeOf(child))} | ${cell(child.description ?? '')} |`;
      return [row, ...fieldsOf(child, field)];
    }),
  ]);
}

const tableOf = (node: Node): string => {
  const fields = fieldsOf(node);
  return fields.length === 0 ? '' : `| field | type | meaning |\n|---|---|---|\n${fields.join('\n')}\n`;
};

/** What may be one of several things has a table for each. */
function shapeOf(name: string, node: Node): string {
  const whole = node.items === undefined ? '' : `${typeOf(node).replace(/^l/, 'L')}.\n\n`;
  const forms = node.oneOf ?? node.anyOf;
  const tables = forms === undefined ? tableOf(node) : `One of these:\n\n${forms.map(tableOf).join('\n')}`;
  return `### ${name}\n\n${whole}${node.$ref === undefined ? tables : `A ${linkTo(node.$ref)}.`}`.trimEnd();
}

const link = (name: string | null | undefined): string => (name == null ? '' : linkTo(name));

function apiPage(): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is generated as JSON Schema is that
  const $defs = apiSchema().$defs as Readonly<Record<string, Node>>;
  const rows = routes.map((route: RouteEntry) => {
    const query = route.query === undefined ? '' : `[?${route.query}=]`;
    const answer = route.answer === null ? 'events' : link(route.answer);
    return `| ${route.method} | \`${route.path}${query}\` | ${link(route.body)} | ${answer} | ${cell(route.says)} |`;
  });
  const shapes = Object.entries($defs).map(([name, node]) => shapeOf(name, node));
  return `${[
    head,
    ['| method | path | body | answer | what it is |', '|---|---|---|---|---|', ...rows].join('\n'),
    '',
    'The metric `letterlock_admin_requests_total` counts requests by the name of the route (its path without `/v1/`; `pin` and',
    '`candidate` for one of them, `none` for no route) and by status.',
    '',
    stream,
    errors(),
    '## Shapes\n',
    shapes.join('\n\n'),
  ].join('\n')}\n`;
}

describe('the page of the admin API', () => {
  it('lists every route and every shape as the sources have them', async () => {
    await expect(apiPage()).toMatchFileSnapshot('../../docs/api.md');
  });

  it('names every field of an answer', () => {
    const page = apiPage();
    for (const field of ['`lastVerdict.chainNotAfter`', '`candidates[].certificate`', '`differences[].same`'])
      expect(page).toContain(field);
  });
});

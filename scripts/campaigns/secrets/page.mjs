// The page's door with its codes and tokens, right ones and wrong ones: each of them is a secret as good as the admin socket.

import { ask } from './world.mjs';

/** Uses the page as a browser does. Registers codes and tokens with `kind`; returns what the page answered, and what went wrong. */
export async function usePage(world, kind) {
  const { socket: socketPath, dashboard } = world;
  const [host, port] = dashboard.split(':');
  const own = { Host: dashboard, Origin: `http://${dashboard}`, 'Sec-Fetch-Site': 'same-origin' };
  const findings = [];
  const answers = [];
  const at = async (path, options = {}) => {
    const answer = await ask({ host, port }, { path, ...options, headers: { ...own, ...options.headers } });
    return answer;
  };
  for (const scope of ['read', 'admin']) {
    const made = await ask(
      { socketPath },
      { method: 'POST', path: '/v1/dashboard', body: { scope, uid: null } },
    );
    const code = /#code=([\w-]+)/.exec(made.text)?.[1];
    if (code === undefined) {
      findings.push(`no address of the page was made: ${made.status} ${made.text.slice(0, 200)}`);
      continue;
    }
    kind.derived('a code of the page', code);
    const opened = await at('/session', { method: 'POST', body: { code } });
    const token = /"token":\s*"([\w-]+)"/.exec(opened.text)?.[1];
    if (token === undefined) {
      findings.push(`a code of the page was not taken: ${opened.status} ${opened.text.slice(0, 200)}`);
      continue;
    }
    kind.derived('a token of the page', token);
    const headers = { Authorization: `Bearer ${token}` };
    for (const path of ['/', '/v1/status', '/v1/sessions', '/v1/endpoints', '/v1/history'])
      answers.push([path, (await at(path, { headers })).text]);
    answers.push(['/v1/events', (await at('/v1/events?after=0', { headers, withinMs: 300 })).text]);
    // Whoever mistakes one place for another.
    await at(`/v1/pins/${kind.secret()}`, { headers });
    await at(`/?token=${token}`);
    await at(`/session?code=${code}`, { method: 'POST', body: { code: kind.secret() } });
    await at('/v1/status', { headers: { Authorization: `Bearer ${kind.secret().replaceAll('.', '-')}` } });
    await at('/v1/status', {
      headers: {
        Authorization: `Basic ${Buffer.from(`anna:${kind.secret()}`).toString('base64')}`,
        Cookie: kind.secret(),
      },
    });
    await at('/session', { method: 'DELETE', headers });
  }
  return { answers, findings };
}

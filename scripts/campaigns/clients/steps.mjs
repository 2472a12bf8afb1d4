// The steps of a good client, as far as each case needs them: greeted, inside TLS, answered by the real server.

/** Until its greeting, inside its TLS where that comes first. Whether it came to that. */
export async function greeted(client, route, { localCa }) {
  if (route.leg === 'implicit' && !(await client.secure({ ca: localCa }))) return false;
  return client.hears(route.dialect.greeted);
}

/** From the greeting until what it says goes to the server. Whether it came to that. */
export async function relayed(client, route, { localCa }) {
  if (route.leg !== 'starttls') return true;
  const { startTls, goAhead, againInsideTls, greeted: block } = route.dialect;
  const from = client.heard.length;
  client.write(startTls);
  const line = await client.line(from);
  if (line === null || !goAhead.test(line) || !(await client.secure({ ca: localCa }))) return false;
  return !againInsideTls || client.hears(block);
}

/** Says hello to the server and hears its answer. Whether it did. */
export async function answered(client, { dialect: { hello, answered: form } }) {
  client.write(hello);
  return client.hears(form);
}

/** All of it: whether a good client is served. */
export async function served(client, route, world) {
  return (
    (await greeted(client, route, world)) && (await relayed(client, route, world)) && answered(client, route)
  );
}

// letterlock as it is shipped: the built program, run with a configuration. The server is verified by the CA and by
// its pin (trust: ca+tofu), unless another policy is asked for; metrics are on, and the log is as it is by default.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const schemes = { ec: 'imaps', rsa: 'imaps', starttls: 'imap', warm: 'imaps' };

/** `runtime` is the Node to run it with, `dist` the folder of the build, `curve` a group to offer alone. */
export function letterlock({
  name,
  runtime,
  dist,
  trust = 'ca+tofu',
  curve = null,
  legs = ['ec', 'rsa', 'starttls'],
}) {
  const commands = (setting) => {
    const config = configuration({ ...setting, trust, name });
    const only = curve === null ? [] : ['--import', join(here, curve)];
    return [[runtime, ...only, join(dist, 'cmd/letterlock.js'), 'run', '-c', config]];
  };
  return { name, program: runtime, legs, commands, ours: true };
}

function configuration({ folder, legs, metricsPort, descriptors, trust, name }) {
  const own = join(folder, name.replaceAll(/\W+/g, '-'));
  mkdirSync(own, { recursive: true });
  const routes = Object.entries(legs).map(([leg, { listen, upstream, endpoint = upstream }]) => {
    const [kind] = leg.split('-');
    const server = `upstream: "${schemes[kind]}://localhost:${endpoint}", address: "127.0.0.1:${upstream}"`;
    return `  - {name: ${leg}, listen: "127.0.0.1:${listen}", ${server}, warm: ${kind === 'warm' ? 1 : 0}}`;
  });
  const connections = Math.floor((descriptors - 200) / 2);
  const file = join(own, 'letterlock.yaml');
  writeFileSync(
    file,
    `state: ${own}/state
trust: ${trust}
caFile: ${folder}/ca.pem
metrics: {listen: "127.0.0.1:${metricsPort}"}
admin: {socket: {path: "${own}/s"}}
limits: {connections: ${connections}}
routes:
${routes.join('\n')}
`,
  );
  return file;
}

// The other proxies, each configured to do the same work: plain from the client, verified TLS to the server, chain
// and name, and a full handshake for every connection. Their defaults otherwise.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const nginxStream = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** `legs`: `{name: {listen, upstream}}`, ports; a peer that cannot STARTTLS is given no such leg. */
export const peers = [
  { name: 'stunnel', program: 'stunnel4', legs: ['ec', 'rsa', 'starttls'], commands: stunnel },
  { name: 'haproxy', program: 'haproxy', legs: ['ec', 'rsa'], commands: haproxy },
  { name: 'nginx', program: 'nginx', legs: ['ec', 'rsa'], commands: nginx },
  { name: 'socat', program: 'socat', legs: ['ec', 'rsa'], commands: socat, forks: true },
];

// It logs to where the others do. Without this and a syslog daemon the C library would write to the console, at ten times the cost.
function stunnel({ folder, legs }) {
  const services = Object.entries(legs).map(
    ([name, { listen, upstream }]) => `[${name}]
client = yes
accept = 127.0.0.1:${listen}
connect = 127.0.0.1:${upstream}
${name.startsWith('starttls') ? 'protocol = imap\n' : ''}verifyChain = yes
CAfile = ${folder}/ca.pem
checkHost = localhost
sni = localhost
sessionResume = no
`,
  );
  const file = join(folder, 'stunnel.conf');
  writeFileSync(file, `foreground = yes\nsyslog = no\npid =\n${services.join('')}`);
  return [['stunnel4', file]];
}

function haproxy({ folder, legs, descriptors }) {
  const proxies = Object.entries(legs).map(
    ([name, { listen, upstream }]) => `listen ${name}
  bind 127.0.0.1:${listen}
  server ${name} 127.0.0.1:${upstream} ssl verify required ca-file ${folder}/ca.pem verifyhost localhost sni str(localhost) no-ssl-reuse
`,
  );
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn ${Math.floor((descriptors - 200) / 2)}
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
${proxies.join('')}`,
  );
  return [['haproxy', '-db', '-f', file]];
}

function nginx({ folder, legs, descriptors }) {
  const servers = Object.values(legs).map(
    ({ listen, upstream }) => `  server {
    listen 127.0.0.1:${listen};
    proxy_pass 127.0.0.1:${upstream};
    proxy_timeout 1h;
    proxy_ssl on;
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate ${folder}/ca.pem;
    proxy_ssl_name localhost;
    proxy_ssl_server_name on;
    proxy_ssl_session_reuse off;
  }
`,
  );
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `${existsSync(nginxStream) ? `load_module ${nginxStream};\n` : ''}daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr;
events { worker_connections ${descriptors - 100}; }
stream {
${servers.join('')}}
`,
  );
  return [['nginx', '-p', folder, '-e', 'stderr', '-c', file]];
}

function socat({ folder, legs }) {
  return Object.values(legs).map(({ listen, upstream }) => [
    'socat',
    `TCP-LISTEN:${listen},bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=1024`,
    `OPENSSL:127.0.0.1:${upstream},nodelay,verify=1,cafile=${folder}/ca.pem,commonname=localhost,snihost=localhost`,
  ]);
}

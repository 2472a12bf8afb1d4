// A port whose connections never come about: it listens with the shortest queue there is, and stands still before it takes
// the first one out. Whoever started it ends it.

import { createServer } from 'node:net';

const server = createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  process.stdout.write(`${server.address().port}\n`, () => process.kill(process.pid, 'SIGSTOP'));
});

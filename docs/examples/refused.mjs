// node refused.mjs imaps://imap.example.org
import { Tofu, TrustError } from 'letterlock';
import { openLevelStore } from 'letterlock/level';

const server = process.argv[2] ?? 'imaps://imap.example.org';
const store = await openLevelStore({ directory: './pins' });
const tofu = await Tofu.open({ store });

try {
  const { socket } = await tofu.connect(server);
  socket.destroy();
} catch (error) {
  if (!(error instanceof TrustError)) throw error; // the network: Failure
  console.error(error.message); // one sentence
  console.error(error.lines.join('\n')); // everything: the certificate, what is pinned, what is wrong
}

await tofu.close();
await store.close();

// node ask.mjs imaps://imap.example.org
import { createInterface } from 'node:readline/promises';
import { Tofu } from 'letterlock';
import { openLevelStore } from 'letterlock/level';

const server = process.argv[2] ?? 'imaps://imap.example.org';
const store = await openLevelStore({ directory: './pins' });

const tofu = await Tofu.open({
  store,
  decide: async (refused) => {
    console.log(refused.lines.join('\n'));
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    const answer = await terminal.question('Is that the fingerprint you were given? (yes/no) ');
    terminal.close();
    return answer === 'yes' ? 'approve' : 'refuse';
  },
});

const { socket, vouched } = await tofu.connect(server);
console.log(`${vouched.endpoint} is vouched for: ${vouched.basis}`);
socket.destroy();
await tofu.close();
await store.close();

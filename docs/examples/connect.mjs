// node connect.mjs imaps://imap.example.org
import { Tofu } from 'letterlock';
import { openLevelStore } from 'letterlock/level';

const server = process.argv[2] ?? 'imaps://imap.example.org';

const store = await openLevelStore({ directory: './pins' });
const tofu = await Tofu.open({ store });
const { socket, vouched } = await tofu.connect(server);

console.log(`${vouched.endpoint} is vouched for: ${vouched.basis}`);
socket.once('data', (greeting) => {
  console.log(`it says: ${greeting.toString('latin1').trim()}`);
  socket.end();
});
const close = async () => {
  await tofu.close();
  await store.close();
};
socket.once('close', () => void close());

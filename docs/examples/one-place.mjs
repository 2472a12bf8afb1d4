// node one-place.mjs HOST:PORT sha256//PIN=
import https from 'node:https';
import { Tofu } from 'letterlock';
import { openLevelStore } from 'letterlock/level';

const [, , endpoint = 'nas.lan:443', pin = 'sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='] =
  process.argv;
const store = await openLevelStore({ directory: './pins' });

const tofu = await Tofu.open({
  store,
  trust: 'auto', // the default: CA where there is one, else first use
  endpoints: {
    'nas.lan:443': { trust: 'tofu' },
    'intranet.example.net:443': { trust: 'ca', caFile: 'system' },
    [endpoint]: { pins: [pin] },
  },
  hooks: {
    pinned: ({ endpoint: name, spki }) => console.log(`${name}: ${spki} pinned`),
    refused: (error) => console.log(error.message),
    connected: ({ endpoint: name, basis }) => console.log(`${name}: ${basis}`),
  },
});

// From here on everything that connects in this process goes through it.
tofu.install();
https
  .get(`https://${endpoint}/`, (answer) => console.log(answer.resume().statusCode))
  .on('error', ({ code }) => console.log(code))
  .on('close', () => {
    https.globalAgent.destroy();
    void tofu.close().then(() => store.close());
  });

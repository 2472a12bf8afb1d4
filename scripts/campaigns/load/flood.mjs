// Connections that are dropped as soon as they are made, in a process of its own: so many each second as asked for, or as it
// can. Two of three are reset, the third is ended.

import { connect } from 'node:net';
import { answer } from './helper.mjs';

/** What is not made by then waits for others to be. */
const mostOpen = 1000;
/** In one turn of the loop, so that what was made is dropped meanwhile. */
const atOnce = 100;

function flood({ port, perSecond, seconds }) {
  const since = performance.now();
  const totals = { made: 0, failed: 0 };
  let [tried, open] = [0, 0];
  const one = () => {
    const politely = tried % 3 === 0;
    tried += 1;
    open += 1;
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      totals.made += 1;
      if (politely) socket.destroy();
      else socket.resetAndDestroy();
    });
    socket.on('error', () => (totals.failed += 1));
    socket.once('close', () => (open -= 1));
  };
  return new Promise((resolve) => {
    const turn = () => {
      const passed = (performance.now() - since) / 1000;
      if (passed >= seconds) return resolve({ ...totals, perSecond: totals.made / passed });
      const room = Math.min(atOnce, mostOpen - open, passed * perSecond - tried);
      for (let count = 0; count < room; count += 1) one();
      setImmediate(turn);
    };
    turn();
  });
}

answer({ flood });

// The smallest input that still breaks the same rule, as far as a bounded search finds it.

/** `isSame(bytes)`: whether it still does (a promise). */
export async function minimised(bytes, isSame, { most = 2000, mostMs = 1000 } = {}) {
  const until = performance.now() + mostMs;
  let [best, tried] = [bytes, 0];
  const isOver = () => tried >= most || performance.now() > until;
  const tries = async (candidate) => {
    tried += 1;
    if (isOver() || !(await isSame(candidate))) return false;
    best = candidate;
    return true;
  };
  for (
    let size = Math.ceil(best.length / 2);
    size >= 1 && !isOver();
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let at = 0; at < best.length && !isOver();)
      if (!(await tries(Buffer.concat([best.subarray(0, at), best.subarray(at + size)])))) at += size;
  }
  for (let at = 0; at < best.length && !isOver(); at += 1) {
    if (best[at] === 0x61 || best[at] === 0) continue;
    for (const plain of [0x61, 0]) {
      const candidate = Buffer.from(best);
      candidate[at] = plain;
      if (await tries(candidate)) break;
    }
  }
  return best;
}

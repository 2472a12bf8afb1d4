// The longest hold of the daemon's event loop, by its own metrics, which tell it since they were asked before.

const everyMs = 1000;

/** Begins at once; `rest` and `go` leave out what is in between, `end` gives milliseconds. */
export function watchLag(world) {
  let longest = 0;
  let going = Promise.resolve();
  let timer = null;
  const read = async () => {
    const metrics = await world.metrics();
    longest = Math.max(longest, metrics.sum('nodejs_eventloop_lag_max_seconds'));
  };
  const rest = async () => {
    clearInterval(timer);
    await going;
  };
  const go = () => {
    timer = setInterval(() => {
      going = read().catch(() => undefined);
    }, everyMs);
  };
  go();
  return { rest, go, end: () => rest().then(() => longest * 1000) };
}

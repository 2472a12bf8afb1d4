// Many pieces of work, so many at a time.

/** Until all are done or the signal is aborted; what is under way then ends by itself. */
export async function inTurns(items, width, { signal, work }) {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) {
      if (signal.aborted) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}

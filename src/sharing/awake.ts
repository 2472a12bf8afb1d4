// Sharing keeps no process alive, but one that waits for an answer must not end before it came: Node would end a
// program in the middle of an await, without a word.

/** Settles as `work` does; until then the process stays. */
export async function awake<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, 60_000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

// A page that is written on demand, for any number who ask. Whoever asks while one is written gets the next, together with all
// who asked meanwhile: a page never leaves out what had happened before it was asked for, and thousands of requests at once
// cost two pages.

/** `write` is never called again before it settled. A page that cannot be written rejects for those who wait for it, and is not kept. */
export function sharedPages(write: () => Promise<string>): () => Promise<string> {
  let writing: Promise<string> | null = null;
  let next: Promise<string> | null = null;
  const begin = (): Promise<string> => {
    next = null;
    writing = write().finally(() => (writing = null));
    return writing;
  };
  return () => {
    if (writing === null && next === null) return begin();
    next ??= (writing ?? Promise.resolve()).then(begin, begin);
    return next;
  };
}

// What others may do with the files this process makes: nothing. Apart, because it is set before anything is opened.

/** All files made from now on are for this user alone; LevelDB makes its own with whatever the umask leaves. */
export function closeUmask(): void {
  try {
    process.umask(process.umask() | 0o077);
  } catch {
    // Worker threads may not change it; the directory is closed all the same.
  }
}

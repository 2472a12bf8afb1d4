// A SIGHUP that comes while letterlock starts asks for what it asks for ever after: to read the configuration again. Nobody
// is there yet to do it, and left to itself the signal ends the process. It is kept, and given again once somebody hears it.

export interface EarlyHangup {
  /** From here on others hear the signal; one that came before comes again. */
  readonly pass: () => void;
}

export function keepHangup(): EarlyHangup {
  let came = false;
  const keep = (): void => {
    came = true;
  };
  process.on('SIGHUP', keep);
  return {
    pass: () => {
      process.removeListener('SIGHUP', keep);
      if (came) process.kill(process.pid, 'SIGHUP');
    },
  };
}

// Node opens its debugger when it gets SIGUSR1: on a port of loopback, without asking who connects, so that any user of the
// machine could read every password that passes. A signal somebody listens to does not open it; Node 20 has no switch
// for that (`--disable-sigusr1` came later). A debugger asked for at the start is refused by src/daemon/environment.ts.

/** From now on SIGUSR1 does nothing. It keeps no process alive. */
export function closeDebugger(): void {
  process.on('SIGUSR1', () => undefined);
}

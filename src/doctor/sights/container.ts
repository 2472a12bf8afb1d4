// Is this a container? By the marks that its makers leave; null where there is none.

import { isThere, textOf } from './files.ts';

export async function seeContainer(env: NodeJS.ProcessEnv): Promise<string | null> {
  if ((env['KUBERNETES_SERVICE_HOST'] ?? '') !== '') return 'Kubernetes';
  for (const mark of ['/.dockerenv', '/run/.containerenv']) if (await isThere(mark)) return mark;
  return markedBy(await textOf('/proc/1/cgroup'), env['container']);
}

/** `container` is set by systemd-nspawn, podman and lxc (systemd.io/CONTAINER_INTERFACE). */
export function markedBy(cgroup: string, variable: string | undefined): string | null {
  if (variable !== undefined && variable !== '') return variable.slice(0, 32);
  const [found] = /docker|containerd|kubepods|lxc|libpod/.exec(cgroup) ?? [];
  return found ?? null;
}

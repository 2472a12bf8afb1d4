// systemd itself, as process 1 of namespaces of its own: mounts, processes, network, names and control groups are apart from
// the machine's, which hears and keeps nothing of it. It starts the units it is given and no other. Making one takes root.

import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { builtBin } from './build.ts';
import { temporaryFolder } from './folder.ts';
import { cleanEnvironment, run, start, type Ran } from './run.ts';
import { until } from './wait.ts';

const root = join(import.meta.dirname, '../..');

/** Files by path: `units/…` for systemd, `etc/…` for what lies in /etc. */
export type Given = Readonly<Record<string, string>>;

export interface Systemd {
  /** Runs a command inside, as root, and waits for its end. */
  run(...command: readonly string[]): Promise<Ran>;
  /** What a command inside printed; throws with everything it said when it fails. */
  say(...command: readonly string[]): Promise<string>;
  /** The folder of the machine that is /lab inside. */
  readonly folder: string;
  stop(): Promise<void>;
}

/**
 * The system of the machine read-only, but for folders in memory where services keep things; control groups of its own;
 * `letterlock` and `node` where a unit expects them.
 */
const outer = `set -eu
lab=$1
mount --make-rprivate /
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir "/sys/fs/cgroup/$2"
echo $$ > "/sys/fs/cgroup/$2/cgroup.procs"
exec unshare --cgroup --pid --fork --mount --uts --ipc --net --mount-proc --kill-child sh "$lab/inner.sh" "$lab" "$3"
`;
const inner = `set -eu
lab=$1
ip link set lo up
umount /sys/fs/cgroup
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p "$lab/own"
mount -t tmpfs -o mode=755 tmpfs "$lab/own"
mkdir "$lab/own/etc" "$lab/own/work"
cp -a "$lab/etc/." "$lab/own/etc/"
mount -t overlay -o "lowerdir=/etc,upperdir=$lab/own/etc,workdir=$lab/own/work" overlay /etc
mount -t overlay -o "lowerdir=$lab/bin:/usr/bin" overlay /usr/bin
mount -t tmpfs -o mode=755 tmpfs /opt
mkdir /opt/letterlock /opt/lab
mount --bind "$lab/letterlock" /opt/letterlock
mount --bind "$2" /opt/letterlock/node_modules
mount --bind "$lab" /opt/lab
for folder in /run /var/lib /var/log /var/tmp /etc/systemd; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
exec env -i container=lab SYSTEMD_UNIT_PATH=/opt/lab/units PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  /lib/systemd/systemd --system --log-target=console --log-level=info --show-status=no --dump-core=no --crash-reboot=no
`;

/** Starts it with these files; it is up when this resolves. `stop` it, also when a test failed. */
export async function startSystemd(given: Given): Promise<Systemd> {
  const folder = await temporaryFolder();
  const group = `letterlock-lab-${process.pid}-${Date.now()}`;
  await lay(folder.path, given);
  const modules = join(root, 'node_modules');
  const running = await start(
    ['unshare', '--mount', 'sh', join(folder.path, 'outer.sh'), folder.path, group, modules],
    { env: cleanEnvironment('/') },
  );
  const stop = async (): Promise<void> => {
    // Process 1 takes no SIGTERM from outside; all that is in there ends with it.
    const first = await firstOf(running.pid);
    if (running.exit() === null) process.kill(first ?? running.pid, 'SIGKILL');
    await running.stop();
    await removeGroup(group);
    await folder.remove();
  };
  const inside = async (command: readonly string[]): Promise<Ran> => {
    let pid: number | null = null;
    // The child of a process is not to be seen at every moment of its start.
    await until('process 1 of systemd', async () => {
      if (running.exit() !== null) throw new Error(`systemd ended: ${running.output()}`);
      pid = await firstOf(running.pid);
      return pid !== null;
    });
    const enter = ['nsenter', '--target', String(pid), '--all', '--', ...command];
    return run(enter, { env: cleanEnvironment('/'), cwd: '/', deadlineMs: 30_000 });
  };
  try {
    await until(
      'systemd',
      async () => {
        if (running.exit() !== null) throw new Error(`systemd ended: ${running.output()}`);
        return (
          (await inside(['systemctl', 'is-system-running'])).exit !== null &&
          (await inside(['systemctl', 'show', '--property=Version'])).exit === 0
        );
      },
      30_000,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    folder: folder.path,
    run: (...command) => inside(command),
    say: async (...command) => {
      const { exit, shown } = await inside(command);
      if (exit !== 0) throw new Error(`${command.join(' ')} ended with ${exit}: ${shown}`);
      return shown;
    },
    stop,
  };
}

async function lay(folder: string, given: Given): Promise<void> {
  const bin = await builtBin();
  const built = dirname(dirname(dirname(bin)));
  await mkdir(join(folder, 'letterlock/node_modules'), { recursive: true });
  await cp(join(built, 'dist'), join(folder, 'letterlock/dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(folder, 'letterlock/package.json'));
  await mkdir(join(folder, 'bin'));
  await cp(process.execPath, join(folder, 'bin/node'), { dereference: true });
  await symlink('/opt/letterlock/dist/cmd/letterlock.js', join(folder, 'bin/letterlock'));
  const files: Record<string, string> = { 'outer.sh': outer, 'inner.sh': inner };
  for (const name of ['default', 'sysinit', 'basic', 'shutdown']) files[`units/${name}.target`] = '[Unit]\n';
  Object.assign(files, given);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** Process 1 in there, by its number outside: the only child of who made the namespaces. */
async function firstOf(pid: number): Promise<number | null> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => '');
  const [first] = children.split(' ').filter((word) => word !== '');
  return first === undefined ? null : Number(first);
}

/** Empty now; what was in there is gone with process 1. */
async function removeGroup(name: string): Promise<void> {
  const script = `mount -t cgroup2 cgroup2 /mnt && find "/mnt/${name}" -depth -type d -exec rmdir {} +`;
  await until('the control group to be empty', async () => {
    const removed = await run(['unshare', '--mount', 'sh', '-c', script], { env: cleanEnvironment('/') });
    return removed.exit === 0;
  });
}

// Starts a daemon the way a service manager does (sd_listen_fds(3)): with sockets from descriptor 3 on, their
// names, and the process's own id, which only a program that becomes the daemon can know.

import { RunningDaemon } from './process.ts';

/** What is passed: listening sockets, and what is none. */
export interface Passed {
  readonly name: string;
  readonly kind: 'tcp' | 'unix' | 'deaf' | 'unbound' | 'connected' | 'datagram' | 'file';
  /** Where a `tcp` socket is bound, to any port; the path of a `unix` or `deaf` one. */
  readonly at?: string;
}

const launcher = `
import fcntl, json, os, socket, sys

def make(kind, at):
    if kind == "file": return open(os.devnull), 0
    if kind == "datagram": return socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0
    if kind == "unbound": return socket.socket(), 0
    if kind in ("unix", "deaf"):
        s = socket.socket(socket.AF_UNIX)
        s.bind(at)
        if kind == "unix": s.listen()
        return s, 0
    s = socket.socket(socket.AF_INET6 if kind == "tcp" and ":" in (at or "") else socket.AF_INET)
    s.bind((at if kind == "tcp" and at else "127.0.0.1", 0)); s.listen()
    if kind == "tcp": return s, s.getsockname()[1]
    keep.append(s)
    return socket.create_connection(s.getsockname()), 0

keep = []
passed = json.loads(sys.argv[1])
made = [make(each["kind"], each.get("at")) for each in passed]
high = [fcntl.fcntl(each.fileno(), fcntl.F_DUPFD_CLOEXEC, 100) for each, _ in made]
for index, fd in enumerate(high): os.dup2(fd, 3 + index)
print(json.dumps({"event": "passed", "ports": [port for _, port in made]}), flush=True)
env = dict(os.environ, LISTEN_FDS=str(len(made)), LISTEN_FDNAMES=":".join(each["name"] for each in passed))
env["LISTEN_PID"] = str(os.getpid() if sys.argv[2] == "own" else 1)
os.execve(sys.argv[3], sys.argv[3:], env)
`;

/** `pid` is whose id stands in LISTEN_PID. */
export const activated = (
  passed: readonly Passed[],
  { pid = 'own', args }: { readonly pid?: 'own' | 'other'; readonly args: readonly string[] },
): RunningDaemon =>
  new RunningDaemon('python3', ['-c', launcher, JSON.stringify(passed), pid, process.execPath, ...args]);

# Another user of the machine. Does what it is told, a line of JSON each, and says what came of it: what it could bind,
# open, read, connect to or put in the place of something. Ends when its standard input does.

import errno, json, os, socket, stat, sys, time

kept = []


def code(error):
    return errno.errorcode.get(error.errno, str(error)) if isinstance(error, OSError) and error.errno else str(error)


def made(host, reuse):
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM)
    if family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if reuse == 'both' else 1)
    if reuse != 'none':
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return one


def bind(host, port, reuse='none', keep=True):
    one = made(host, reuse)
    try:
        one.bind((host, port))
        one.listen(8)
        if keep:
            kept.append(one)
        else:
            one.close()
        return {'port': one.getsockname()[1] if keep else port}
    except OSError as error:
        one.close()
        return {'error': code(error)}


def release():
    for one in kept:
        one.close()
    kept.clear()
    return {}


def binds(hosts, port, seconds):
    """Over and over, every way there is; which ones it got."""
    until = time.monotonic() + seconds
    tries, got = 0, []
    while time.monotonic() < until:
        for host in hosts:
            for reuse in ('none', 'port', 'both'):
                tries += 1
                if 'error' not in bind(host, port, reuse, keep=False):
                    got.append([host, reuse])
        time.sleep(0.002)
    return {'tries': tries, 'got': got}


def connect(host=None, port=None, path=None, say='', seconds=3):
    one = socket.socket(socket.AF_UNIX if path else socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_STREAM)
    one.settimeout(seconds)
    heard = b''
    try:
        one.connect(path or (host, port))
        if say:
            one.sendall(say.encode('latin1'))
        while len(heard) < 65536:
            chunk = one.recv(4096)
            if not chunk:
                return {'heard': heard.decode('latin1'), 'over': 'end'}
            heard += chunk
    except socket.timeout:
        return {'heard': heard.decode('latin1'), 'over': 'open'}
    except OSError as error:
        return {'heard': heard.decode('latin1'), 'over': code(error)}
    finally:
        one.close()
    return {'heard': heard.decode('latin1'), 'over': 'full'}


def read(path):
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            return {'got': os.listdir(path)}
        with open(path, 'rb') as file:
            return {'got': len(file.read(64))}
    except OSError as error:
        return {'error': code(error)}


def put(path, what, target=None):
    """Makes a thing of this kind there."""
    try:
        if what == 'folder':
            os.mkdir(path, 0o755)
        elif what == 'open folder':
            os.mkdir(path)
            os.chmod(path, 0o777)
        elif what == 'file':
            open(path, 'x').close()
        elif what == 'link':
            os.symlink(target, path)
        elif what == 'socket':
            one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            kept.append(one)
            one.bind(path)
            one.listen(8)
            os.chmod(path, 0o777)
        return {}
    except OSError as error:
        return {'error': code(error)}


def gone(path):
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)
    except OSError:
        pass


def race(path, target, aside, seconds):
    """Puts one thing after the other where somebody else is about to put his own; what is there goes aside."""
    until = time.monotonic() + seconds
    turns, won, last = 0, 0, None
    while time.monotonic() < until:
        turns += 1
        for what in ('link', 'open folder', 'file', 'socket'):
            try:
                os.rename(path, '%s-%d' % (aside, turns))
                won += 1
            except OSError as error:
                last = code(error)
            if 'error' not in put(path, what, target):
                time.sleep(0.0005 * (turns % 4))
                gone(path)
            release()
    return {'turns': turns, 'won': won, 'last': last}


work = {f.__name__: f for f in (bind, release, binds, connect, read, put, race)}
for line in sys.stdin:
    told = json.loads(line)
    answer = work[told.pop('do')](**told)
    print(json.dumps(answer), flush=True)

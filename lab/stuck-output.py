# Runs a command whose standard output is taken by nobody, until SIGUSR1 makes this process read it
# and print it on its own. Usage:
#     stuck-output.py pipe|socket|terminal|foreign-terminal|disk COMMAND...
# A foreign terminal may be written to but not be opened by whom file permissions bind.
# "disk" mounts a full file system, so it wants a mount namespace of its own (`ip netns exec`).
import os
import pty
import signal
import socket
import sys
import threading
import time

kind, *command = sys.argv[1:]
DISK = '/mnt'


def fill(descriptor):
    """Writes until there is no room left, and says how much that was."""
    os.set_blocking(descriptor, False)
    count = 0
    for size in (4096, 1):
        try:
            while True:
                count += os.write(descriptor, b'x' * size)
        except OSError:
            pass
    os.set_blocking(descriptor, True)
    return count


def open_output():
    """Yields what to write to, what to read from, how many bytes of that are not the command's, and
    what to do before reading."""
    nothing = lambda: None
    if kind == 'pipe':
        reader, writer = os.pipe()
        return writer, reader, fill(writer), nothing
    if kind == 'socket':
        reader, writer = (end.detach() for end in socket.socketpair())
        return writer, reader, fill(writer), nothing
    if kind in ('terminal', 'foreign-terminal'):
        master, slave = pty.openpty()
        if kind == 'foreign-terminal':
            os.fchmod(slave, 0)
        os.write(master, b'\x13')
        return slave, master, 0, lambda: os.write(master, b'\x11')
    os.system(f'mount -t tmpfs -o size=256k full {DISK}')
    writer = os.open(f'{DISK}/log', os.O_WRONLY | os.O_CREAT)
    rest = os.open(f'{DISK}/rest', os.O_WRONLY | os.O_CREAT)
    fill(rest)
    os.close(rest)
    return writer, os.open(f'{DISK}/log', os.O_RDONLY), 0, lambda: os.unlink(f'{DISK}/rest')


def copy(reader, skip):
    while True:
        try:
            data = os.read(reader, 65536)
        except OSError:
            return
        skipped = min(skip, len(data))
        skip -= skipped
        os.write(1, data[skipped:])
        if not data:
            time.sleep(0.05)


writer, reader, skip, prepare = open_output()
child = os.fork()
if child == 0:
    os.dup2(writer, 1)
    os.closerange(3, 100)
    os.execvp(command[0], command)


def resume(*_):
    prepare()
    threading.Thread(target=copy, args=(reader, skip), daemon=True).start()


signal.signal(signal.SIGUSR1, resume)
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
_, status = os.waitpid(child, 0)
time.sleep(0.2)
code = os.waitstatus_to_exitcode(status)
sys.exit(128 - code if code < 0 else code)

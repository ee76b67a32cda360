"""A root of the supervisor's own, in a mount namespace of its own.

Engines look for the files of a running container through its process: `podman cp` joins that process's mount
namespace. They find the container's image there, read-only, and nothing of the machine
(docs/decisions/0012-a-root-of-its-own.md).
"""

import errno
import posix as os

from hybrid_runtime.system.path import encoded, on_machine, same_file
from hybrid_runtime.system.system_calls import call_c_library

# linux/sched.h, linux/capability.h
_CLONE_NEWNS = 0x00020000
_CAP_SYS_ADMIN = 21
# linux/mount.h
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT = 1, 2, 4, 8, 32
_BIND, _MOVE, _REC, _SLAVE = 0x1000, 0x2000, 0x4000, 0x80000
_DETACH = 2
_HARMLESS = _NOSUID | _NODEV | _NOEXEC
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def can_be_made() -> bool:
    """Only with CAP_SYS_ADMIN. Who lacks it cannot join a mount namespace either (setns(2))."""
    try:
        with open(on_machine("/proc/self/status"), "rb") as source:
            for line in source:
                if line.startswith(b"CapEff:"):
                    return bool(int(line[7:], 16) >> _CAP_SYS_ADMIN & 1)
    except OSError:
        return False
    return False


def enter_own_root(image: str) -> bool:
    """This process's root becomes that folder, or an empty one for "", and its namespace has nothing else.

    The working folder stays the machine's root, and is the only way back to it. False, with everything as before,
    without the capability, and in a chroot: the namespace's own root is not ours to replace there. Raises OSError,
    with everything as before.
    """
    # Kept open: a namespace, and with it the machine as we see it, ends with the last process in it.
    outer = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    here = os.open("/", _FOLDER)
    entered = False
    try:
        try:
            call_c_library("unshare", _CLONE_NEWNS)
        except PermissionError:
            return False
        try:
            entered = _replace_root(image, here)
        finally:
            if not entered:
                _join(outer)
            os.fchdir(here)
            if not entered:
                os.chroot(".")
    finally:
        os.close(here)
        if not entered:
            os.close(outer)
    return entered


def _replace_root(image: str, former: int) -> bool:
    ours = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _join(ours)
        if not same_file(os.stat("/"), os.fstat(former)):
            return False
        _mount(None, "/", _REC | _SLAVE)
        folder = _bind(image) if image else _bind_nothing()
        facts = os.stat(folder)
        _change_root(folder)
        # In by the door that others take: now it is certain where it leads.
        _join(ours)
        if not same_file(os.stat("/"), facts):
            raise OSError(errno.ESTALE, "the namespace has another root")
        return True
    finally:
        os.close(ours)


def _bind(image: str) -> str:
    _mount(image, image, _BIND)
    _mount(None, image, _REMOUNT | _BIND | _RDONLY | _HARMLESS)
    return image


def _bind_nothing() -> str:
    """An empty file system, in the place of a folder that is there for certain."""
    _mount("none", "/proc", _RDONLY | _HARMLESS, kind="tmpfs", options="mode=0555,size=4k")
    return "/proc"


def _change_root(folder: str) -> None:
    outside = os.open("/", _FOLDER)
    try:
        os.chdir(folder)
        try:
            call_c_library("pivot_root", b".", b".")
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            # An initial RAM file system cannot be taken away, only covered (switch_root(8)).
            _mount(".", "/", _MOVE)
            return
        os.fchdir(outside)
        call_c_library("umount2", b".", _DETACH)
    finally:
        os.close(outside)


def _join(namespace: int) -> None:
    """Root and working folder are the namespace's root afterwards (setns(2))."""
    call_c_library("setns", namespace, _CLONE_NEWNS)


def _mount(source: str | None, target: str, flags: int, *, kind: str | None = None, options: str | None = None) -> None:
    words = [None if word is None else encoded(word) for word in (source, target, kind, options)]
    call_c_library("mount", words[0], words[1], words[2], flags, words[3])

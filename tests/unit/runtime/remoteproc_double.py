"""A double of the kernel's remoteproc files: plain files below a folder, and a thread that answers what is written.

It imitates as much as the runtime's decisions need: names, states, counted references, recovery, traces. It is no
evidence of what the kernel does: write(2) here never fails, /dev/remoteprocN and /dev/kmsg are absent, and a word
written to `state` stays readable until the thread has acted on it.
"""

import os
import shutil
import threading
from pathlib import Path

from tests.invariants import Core, Sighting

LOOK_SECONDS = 0.002
# A writer that lives fills an attribute it has opened before so many looks find it empty. Not counted in seconds: a
# busy machine may keep the kernel's player from looking for as long.
TORN_LOOKS = 500
TRACE_BYTES = 4096
BOOT_ID = "0123abcd-0000-0000-0000-000000000000"


def link(path: Path, target: Path) -> None:
    """As sysfs has them (sysfs_create_link): relative, so that they lead to the same place from any root."""
    path.symlink_to(os.path.relpath(target, path.parent))


class ProcessorDouble:
    """One remoteprocN. Methods that end in `_from_outside` are what another program does to the core."""

    def __init__(self, sysroot: Path, device: str, name: str, *, state: str, recovery: str) -> None:
        self.sysroot = sysroot
        self.device = device
        self.references = 0 if state == "offline" else 1
        self.state = state
        self.refuses_to_start = False
        self.refuses_to_stop = False
        self.crashes = 0
        self.boots: list[str] = []
        self.stops = 0
        self.ring = bytearray()
        self.written = 0
        self.lock = threading.RLock()
        self.folder = sysroot / "sys/devices/platform" / f"{device}.{name}" / "remoteproc" / device
        self.folder.mkdir(parents=True)
        self.driver_link = self.folder.parents[1] / "driver"
        link(self.driver_link, sysroot / "sys/bus/platform/drivers/double")
        self.link = sysroot / "sys/class/remoteproc" / device
        self.link.parent.mkdir(parents=True, exist_ok=True)
        link(self.link, self.folder)
        self.debug = sysroot / "sys/kernel/debug/remoteproc" / device
        self.debug.mkdir(parents=True)
        first = {"name": name, "state": state, "firmware": "unknown", "recovery": recovery, "coredump": "disabled"}
        self.whole = dict(first)
        self.empty_looks = dict.fromkeys(first, 0)
        for attribute, text in first.items():
            (self.folder / attribute).write_text(text + "\n")

    def sighting(self) -> Core:
        if not self.folder.exists():
            return Core(self.device, "offline", "", "enabled")
        return Core(self.device, self.state, self.read("firmware"), self.read("recovery"))

    def read(self, attribute: str) -> str:
        # Some tests write what is no text.
        return (self.folder / attribute).read_text(errors="surrogateescape").removesuffix("\n")

    def write(self, attribute: str, word: str) -> None:
        """In place: somebody may have the file open for writing."""
        descriptor = os.open(self.folder / attribute, os.O_WRONLY)
        try:
            data = f"{word}\n".encode()
            os.pwrite(descriptor, data, 0)
            os.ftruncate(descriptor, len(data))
        finally:
            os.close(descriptor)

    def look(self) -> None:
        """Act on what was written to `state`."""
        with self.lock:
            try:
                self._mend_torn()
                word = self.read("state")
            except FileNotFoundError:
                return
            if word == "start":
                self._start()
            elif word == "stop":
                self._stop()
            elif word in ("", self.state):
                return
            self._show(self.state)

    def _mend_torn(self) -> None:
        """open(O_TRUNC) empties no attribute of the kernel: one whose writer died before its write(2) comes back."""
        for attribute in ("state", "firmware", "recovery", "coredump"):
            text = self.read(attribute)
            if text:
                self.whole[attribute] = self.state if attribute == "state" else text
                self.empty_looks[attribute] = 0
                continue
            self.empty_looks[attribute] += 1
            if self.empty_looks[attribute] > TORN_LOOKS:
                self.write(attribute, self.whole[attribute])

    def _start(self) -> None:
        """rproc_boot: the first reference boots, each further one only counts."""
        firmware = self.sysroot / "lib/firmware" / self.read("firmware")
        if not self.references:
            if self.refuses_to_start or not firmware.is_file():
                return
            self._boot(firmware)
        self.references += 1

    def _boot(self, firmware: Path) -> None:
        self.boots.append(firmware.name)
        self.state = "running"
        self.ring = bytearray()
        self.written = 0
        self._show_trace()

    def _stop(self) -> None:
        if self.state == "offline" or self.refuses_to_stop:
            return
        self.stops += 1
        self.references = max(0, self.references - 1)
        if not self.references:
            self.state = "offline"
            (self.debug / "trace0").unlink(missing_ok=True)

    def _show(self, state: str) -> None:
        self.state = state
        self.write("state", state)

    def start_from_outside(self) -> None:
        with self.lock:
            self._start()
            self._show(self.state)

    def stop_from_outside(self) -> None:
        with self.lock:
            self._stop()
            self._show(self.state)

    def crash(self) -> None:
        """rproc_report_crash: recovered at once, or left crashed."""
        with self.lock:
            self.crashes += 1
            if self.read("recovery") == "enabled":
                self._recover(self.sysroot / "lib/firmware" / self.read("firmware"))
            elif self.state == "running":
                self._show("crashed")

    def _recover(self, firmware: Path) -> None:
        """rproc_boot_recovery: without its file the core stays offline, and the reference with it."""
        if self.state != "running":
            return
        if firmware.is_file():
            self._boot(firmware)
        else:
            self._show("offline")

    def set_state(self, state: str) -> None:
        with self.lock:
            self._show(state)

    def print(self, text: bytes) -> None:
        """Firmware's bytes into the trace buffer, a ring of TRACE_BYTES."""
        with self.lock:
            for byte in text:
                index = self.written % TRACE_BYTES
                if index < len(self.ring):
                    self.ring[index] = byte
                else:
                    self.ring.append(byte)
                self.written += 1
            self._show_trace()

    def _show_trace(self) -> None:
        fresh = self.debug / "fresh"
        fresh.write_bytes(self.ring)
        fresh.rename(self.debug / "trace0")

    def make_read_only(self) -> None:
        for attribute in ("state", "firmware", "recovery", "coredump"):
            (self.folder / attribute).chmod(0o444)

    def begin_to_vanish(self) -> None:
        """The driver is being unbound: __device_release_driver has called its remove."""
        with self.lock:
            self.driver_link.unlink()
            self._stop()
            self._show(self.state)

    def vanish(self) -> None:
        """The driver is unbound."""
        with self.lock:
            self.driver_link.unlink(missing_ok=True)
            self.link.unlink()
            shutil.rmtree(self.folder)
            shutil.rmtree(self.debug)


class RemoteprocDouble:
    """The folder to give as --sysroot, and the thread that plays the kernel. A context manager."""

    def __init__(self, sysroot: Path) -> None:
        self.sysroot = sysroot
        self.processors: list[ProcessorDouble] = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._play, name="remoteproc-double", daemon=True)
        self.firmware_folder = sysroot / "lib/firmware"
        self.firmware_folder.mkdir(parents=True)
        (sysroot / "run").mkdir()
        (sysroot / "sys/class/remoteproc").mkdir(parents=True)
        parameter = sysroot / "sys/module/firmware_class/parameters/path"
        parameter.parent.mkdir(parents=True)
        parameter.write_text("\n")
        boot_id = sysroot / "proc/sys/kernel/random/boot_id"
        boot_id.parent.mkdir(parents=True)
        boot_id.write_text(BOOT_ID + "\n")

    def add(self, name: str, *, state: str = "offline", recovery: str = "enabled") -> ProcessorDouble:
        device = f"remoteproc{len(self.processors)}"
        processor = ProcessorDouble(self.sysroot, device, name, state=state, recovery=recovery)
        self.processors = [*self.processors, processor]
        return processor

    def sighting(self, engine: Path | None = None) -> Sighting:
        """The machine as it is now; `engine` is the folder the engine keeps its pid file in."""
        return Sighting(
            cores=[processor.sighting() for processor in self.processors],
            containers=self.containers(),
            living=self.living(),
            journals=self.journals(),
            installed=self.installed(),
            engine_files=sorted(path.name for path in engine.iterdir()) if engine else [],
        )

    def living(self) -> list[str]:
        """Every process of the runtime on this machine: its command line, which a supervisor has from its create."""
        mine = f"--sysroot\0{self.sysroot}\0".encode()
        found = []
        for folder in Path("/proc").iterdir():
            try:
                line = (folder / "cmdline").read_bytes() if folder.name.isdigit() else b""
            except OSError:
                continue
            # A zombie has no command line.
            if mine in line:
                found.append(f"{folder.name}: " + line.split(mine)[-1].decode("utf-8", "replace").replace("\0", " "))
        return found

    @property
    def claims(self) -> Path:
        return self.sysroot / "run/hybrid-runtime-claims"

    @property
    def root(self) -> Path:
        return self.sysroot / "run/hybrid-runtime"

    def installed(self) -> list[str]:
        return sorted(path.name for path in self.firmware_folder.iterdir())

    def journals(self) -> list[str]:
        if not self.claims.is_dir():
            return []
        return sorted(path.name for path in self.claims.iterdir() if ".journal" in path.name)

    def containers(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir() if path.is_dir()) if self.root.is_dir() else []

    def leftovers(self) -> list[str]:
        """What is there although no container is."""
        return [*self.installed(), *self.journals(), *self.containers()]

    def _play(self) -> None:
        while not self.ending.wait(LOOK_SECONDS):
            for processor in self.processors:
                processor.look()

    def __enter__(self) -> "RemoteprocDouble":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.thread.join()

"""Loading this package's modules from their byte code without asking for anything else.

The interpreter's own finder lists folders, which costs as much as what the modules do. This one takes byte code that
names the time and the size of its source (PEP 552, Python's default). So a source that was changed is seen. Everything
else is left to the finders that come after it: a module without byte code, byte code of another source, of another
kind or of another interpreter. Byte code that is damaged has them take the source.
"""

import posix as os
import sys
from marshal import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
else:
    # importlib.machinery, where it is, is a module more to load.
    ModuleSpec = type(__spec__)

_PACKAGE = __name__.partition(".")[0]
# PEP 3147: the tag names the interpreter and its version.
_SUFFIX = f".{sys.implementation.cache_tag}.pyc"
# PEP 552: the magic number, then flags, the source's time and its size. Of four bytes each, no flag is set.
_HEADER_BYTES = 16
# One for all: what is allocated and freed between the modules leaves holes that a supervisor keeps. Several times the
# longest module; a longer one is left to the other finders.
_BUFFER = bytearray(1 << 16)


class ByteCode:
    """A meta path finder, and the loader of what it finds."""

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, _target: "ModuleType | None" = None
    ) -> ModuleSpec | None:
        package, _, last = name.rpartition(".")
        if path is None or package.partition(".")[0] != _PACKAGE:
            return None
        source = f"{path[0]}/{last}.py"
        code = _code(f"{path[0]}/__pycache__/{last}{_SUFFIX}", source)
        inside = None
        if code is None:
            inside = [f"{path[0]}/{last}"]
            source = f"{inside[0]}/__init__.py"
            code = _code(f"{inside[0]}/__pycache__/__init__{_SUFFIX}", source)
        if code is None:
            return None
        spec = ModuleSpec(name, self, origin=source, loader_state=code)  # type: ignore[arg-type]
        spec.submodule_search_locations = inside
        spec.has_location = True
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        """The usual one."""

    def exec_module(self, module: "ModuleType") -> None:
        spec = module.__spec__
        assert spec is not None
        # Not kept: a supervisor lives for months.
        code, spec.loader_state = spec.loader_state, None
        exec(code, module.__dict__)


def _code(file: str, source: str) -> "CodeType | None":
    """What is marshalled in the file; None unless it is there, readable and of that source."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        size = os.readv(descriptor, [_BUFFER])
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if not _HEADER_BYTES <= size < len(_BUFFER) or not _is_of(source):
        return None
    try:
        code: CodeType = loads(memoryview(_BUFFER)[_HEADER_BYTES:size])
    except (EOFError, ValueError, TypeError):
        # Cut short by a full disk or a power failure.
        take_sources()
        return None
    return code


def _is_of(source: str) -> bool:
    """Whether the header in the buffer names that file as it is now."""
    try:
        facts = os.stat(source)
    except OSError:
        return False
    # By index: the names of the fields are properties, whose time is a fraction.
    size, whole_seconds = facts[6], int(facts[8])
    return int.from_bytes(_BUFFER[4:_HEADER_BYTES], "little") == whole_seconds << 32 | size << 64


def take_sources() -> None:
    """From now on the finders after ours look for byte code where there is none, and compile the sources."""
    sys.pycache_prefix = "/dev/null"


def install() -> None:
    """In front of the other finders."""
    sys.meta_path.insert(0, ByteCode())

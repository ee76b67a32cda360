"""Loading this package's modules from their byte code without asking for anything else.

The interpreter's own finder lists folders and looks at each source, which costs as much as what the modules do. This
one takes byte code that was compiled as `unchecked-hash` (PEP 552): whoever deploys a source compiles it. Everything
else, a module without byte code or with byte code of another kind or another interpreter, is left to the finders
that come after it. Byte code that is damaged has them take the source.
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
# PEP 552: the magic number, flags, and eight more bytes. Hash-based and not to be checked:
_UNCHECKED = b"\1\0\0\0"
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
        code = _code(f"{path[0]}/__pycache__/{last}{_SUFFIX}")
        inside = None
        if code is None:
            inside = [f"{path[0]}/{last}"]
            source = f"{inside[0]}/__init__.py"
            code = _code(f"{inside[0]}/__pycache__/__init__{_SUFFIX}")
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


def _code(file: str) -> "CodeType | None":
    """What is marshalled in it; None unless it is there, readable and unchecked."""
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
    if _BUFFER[4:8] != _UNCHECKED or not _HEADER_BYTES <= size < len(_BUFFER):
        return None
    try:
        code: CodeType = loads(memoryview(_BUFFER)[_HEADER_BYTES:size])
    except (EOFError, ValueError, TypeError):
        # Cut short by a full disk or a power failure.
        take_sources()
        return None
    return code


def take_sources() -> None:
    """From now on the finders after ours look for byte code where there is none, and compile the sources."""
    sys.pycache_prefix = "/dev/null"


def install() -> None:
    """In front of the other finders."""
    sys.meta_path.insert(0, ByteCode())

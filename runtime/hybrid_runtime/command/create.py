"""`create`: from an image to a supervisor that waits for the start."""

import posix as os

from hybrid_runtime import CONFIG
from hybrid_runtime.bundle.bundle import Bundle, SandboxBundle, read_bundle
from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values, usage_error
from hybrid_runtime.container.identifier import check_identifier
from hybrid_runtime.lifecycle.creation import Creation
from hybrid_runtime.system.failure import Failure, reason
from hybrid_runtime.system.interruption import interrupt_on_termination
from hybrid_runtime.system.path import absolute, exists, is_file


def run(context: Context, values: Values) -> int:
    *images, identifier = values.arguments
    if not images and not values.has("bundle"):
        _require_bundle_here(identifier)
    check_identifier(identifier)
    context.processor = values.get("processor", context.processor)
    if not context.processor and (context.names_processor or values.has("processor")):
        raise usage_error("--processor is empty", "create")
    if images and values.has("bundle"):
        raise usage_error("<IMAGE> and --bundle exclude each other", "create")
    if values.has("annotation") and not images:
        raise usage_error("--annotation goes with <IMAGE>: a bundle has its own", "create")
    bundle = None if images else _bundle_of_engine(context, values.get("bundle", "."))
    interrupt_on_termination()
    creation = Creation(context.store, identifier, context.warn)
    try:
        creation.announce()
        bundle = bundle or creation.bundle_of(images[0], _annotations(values), context.processor)
        console_socket = _console_socket(bundle, values.get("console-socket"))
        creation.prepare(bundle, context.processor)
        keeps_streams = not images and not os.isatty(1)
        spawn = creation.spawn_supervisor(bundle, values.get("pid-file"), console_socket, keeps_streams=keeps_streams)
        creation.run_hooks()
        creation.commit(spawn)
    except BaseException:
        try:
            creation.undo()
        except (Failure, OSError) as problem:
            # The journal has the rest of it; what went wrong first is what there is to report.
            context.warn(f"not everything could be undone: {reason(problem)}")
        raise
    return 0


def _bundle_of_engine(context: Context, path: str) -> Bundle:
    """A pod's sandbox does not come back from here: the real runtime takes this process over. Raises Failure."""
    try:
        return read_bundle(path)
    except SandboxBundle:
        from hybrid_runtime.command.delegation import create_sandbox

        create_sandbox(context.system, context.argv, context.store.root)


def _console_socket(bundle: Bundle, path: str) -> str:
    """Absolute, "" for a container without a terminal. Raises Failure."""
    if bundle.terminal and not path:
        raise Failure("process.terminal is true and there is no --console-socket", "name a socket that takes it")
    if path and not bundle.terminal:
        raise Failure(f"--console-socket `{path}` is given and process.terminal is false", "leave one of them away")
    return absolute(path) if path else ""


def _require_bundle_here(argument: str) -> None:
    """Who gives one argument without being in a bundle has forgotten the other one."""
    if exists(CONFIG):
        return
    if is_file(argument) or "/" in argument or ":" in argument:
        raise usage_error(
            f"no container id is given for `{argument}`: `hybrid-runtime create {argument} NAME`", "create"
        )


def _annotations(values: Values) -> dict[str, str]:
    pairs = [annotation.partition("=") for annotation in values.all("annotation")]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise usage_error(f"--annotation `{key}` is not KEY=VALUE", "create")
    return {key: value for key, _, value in pairs}

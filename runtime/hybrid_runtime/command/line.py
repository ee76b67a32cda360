"""From argv to a verb, and from its outcome to an exit code."""

import posix as os
import sys

from hybrid_runtime.command.context import Context, put, salvaged_messages
from hybrid_runtime.command.options import USAGE_CODE, Option, Values, parse, usage_error
from hybrid_runtime.command.table import (
    ACCEPTED_GLOBAL_OPTIONS,
    FURTHER_GLOBAL_OPTIONS,
    GLOBAL_OPTIONS,
    Verb,
    find_verb,
    refusal,
)
from hybrid_runtime.system.failure import Failure, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_INTERRUPTED_CODE = 130


def main(argv: list[str]) -> "NoReturn":
    """Leaves without the interpreter's own clean-up, which costs more than most verbs."""
    _fill_standard_descriptors()
    os._exit(call(argv))


def _fill_standard_descriptors() -> None:
    """A caller may have closed 0, 1 or 2: the next file opened would take its place and get our messages."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open("/dev/null", os.O_RDWR)


def call(argv: list[str]) -> int:
    """The exit code. Every expected failure is a line on standard error and in --log."""
    context: Context | None = None
    try:
        options, words = parse(
            argv, [*GLOBAL_OPTIONS, *FURTHER_GLOBAL_OPTIONS, *ACCEPTED_GLOBAL_OPTIONS], stop_at_argument=True
        )
        context = Context(options, argv)
        return _dispatch(context, options, words)
    except Failure as failure:
        return _report(context, argv, str(failure), failure.code)
    except OSError as error:
        what = f"cannot use `{error.filename}`" if error.filename else "a call of the system failed"
        return _report(context, argv, str(failed(what, error)), 1)
    except KeyboardInterrupt:
        return _INTERRUPTED_CODE


def _report(context: Context | None, argv: list[str], message: str, code: int) -> int:
    (context or salvaged_messages(argv)).report("error", message)
    return code


def _dispatch(context: Context, options: Values, words: list[str]) -> int:
    if options.has("version") or options.has("v"):
        from hybrid_runtime.command.version import version_text

        context.say(version_text())
        return 0
    if options.has("help") or not words:
        from hybrid_runtime.command.help import overview

        context.say(overview())
        return 0
    record = context.store.record_of_another(words[1:])
    if record:
        from hybrid_runtime.command.delegation import become, runtime_with

        runtime = runtime_with(context.system, record)
        if runtime:
            become(runtime, context.argv, context.store.root)
    verb = find_verb(words[0])
    if verb is None:
        raise refusal(words[0])
    return _call_verb(context, verb, words[1:])


def _call_verb(context: Context, verb: Verb, words: list[str]) -> int:
    options = [*verb.options, Option("-h, --help")]
    values, rest = parse(words, options, stop_at_argument=verb.ignores_rest, verb=verb.name)
    values.arguments += rest
    if values.has("help"):
        from hybrid_runtime.command.help import of_verb

        context.say(of_verb(verb))
        return 0
    most = len(values.arguments) if verb.ignores_rest else len(verb.arguments)
    least = len(verb.arguments) - verb.optional_arguments
    if least and not values.arguments:
        return _show_what_is_missing(context, verb)
    if not least <= len(values.arguments) <= most:
        names = " ".join(name for name, _ in verb.arguments) or "none"
        raise usage_error(f"{len(values.arguments)} arguments given, {verb.name} takes {names}", verb.name)
    module = f"hybrid_runtime.command.{verb.name}"
    __import__(module)
    code: int = sys.modules[module].run(context, values)
    return code


def _show_what_is_missing(context: Context, verb: Verb) -> int:
    """A verb alone is a question, answered by its help; but nothing was done, and a script with an empty variable
    has to notice: exit code 2, on standard error."""
    from hybrid_runtime.command.help import of_verb

    put(2, of_verb(verb))
    context.note("error", f"`{verb.name}` was called without arguments")
    return USAGE_CODE

"""`doctor`: is everything on this device as a container needs it, and what to do where it is not."""

from collections.abc import Iterator

from hybrid_runtime.command.columns import say_json, wanted_format
from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.setup.doctor import access, drivers, engines, forgotten, interpreter, kernel, leftovers, storage
from hybrid_runtime.setup.doctor.finding import PROBLEM, Finding
from hybrid_runtime.system.text import message_line

MODULES = (interpreter, kernel, access, drivers, storage, leftovers, forgotten, engines)
_REPAIRED = "repaired"


def run(context: Context, values: Values) -> int:
    """1 when there is a problem, after the repair if one was asked for."""
    form = wanted_format(values, "doctor")
    repaired = [*_repair(context)] if values.has("repair") else []
    found = [*repaired, *_look(context)]
    if form == "json":
        say_json(context, [finding.__dict__ for finding in found])
    else:
        context.say("".join(_lines(finding) for finding in found))
    return int(any(finding.level == PROBLEM for finding in found))


def _look(context: Context) -> Iterator[Finding]:
    system, store = context.system, context.store
    yield from interpreter.check()
    yield from kernel.check(system)
    yield from access.check(system)
    yield from drivers.check(system)
    yield from storage.check(system, store.root)
    yield from leftovers.check(store)
    yield from forgotten.check(system)
    yield from engines.check(system)


def _repair(context: Context) -> Iterator[Finding]:
    for done in (*leftovers.repair(context.store), *forgotten.repair(context.system)):
        if done.failure:
            yield leftovers.NOT_REPAIRED.found(f"{done.text}: {done.failure}")
        else:
            yield Finding(_REPAIRED, done.text, "", "", "")


def _lines(finding: Finding) -> str:
    said = f"{finding.title}: {finding.text}" if finding.text else finding.title
    remedy = f"{'':10}→ {message_line(finding.remedy)}\n" if finding.remedy else ""
    return f"{finding.level:<10}{message_line(said)}\n{remedy}"

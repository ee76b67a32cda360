"""`uninstall`: take out of an engine's settings what `install` has written there."""

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.install import leave, settle
from hybrid_runtime.command.options import Values
from hybrid_runtime.setup.engine.registration import find_engine


def run(context: Context, values: Values) -> int:
    engine = find_engine(values.arguments[0])
    plan = engine.uninstall(context.system)
    if plan.manual_step is None:
        return settle(context, engine, plan, engine.restart_to_forget, nothing="does not know this runtime")
    return leave(context, plan, "take these lines out of it", engine.restart_to_forget)

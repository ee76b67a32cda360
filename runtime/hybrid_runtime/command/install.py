"""`install`: make a container engine know this runtime, in the engine's own settings."""

from hybrid_runtime.command.context import Context, complain
from hybrid_runtime.command.options import Values
from hybrid_runtime.setup.engine.plan import Plan, carry_out
from hybrid_runtime.setup.engine.registration import Engine, find_engine

LEFT_TO_YOU_CODE = 3


def run(context: Context, values: Values) -> int:
    engine = find_engine(values.arguments[0])
    if values.has("print"):
        context.say(engine.lines(context.system))
        return 0
    plan = engine.install(context.system)
    if plan.manual_step is None:
        return settle(context, engine, plan, engine.restart, nothing="knows this runtime already")
    by_command = f"hybrid-runtime install {engine.name} --print >> {plan.manual_step.place}"
    return leave(context, plan, f"append these lines to it, as by `{by_command}`", engine.restart)


def settle(context: Context, engine: Engine, plan: Plan, restart: str, *, nothing: str) -> int:
    """Carries a plan out and says so. `restart` makes the engine read it, and `nothing` is what to say of the engine
    when there is nothing to do."""
    carry_out(plan)
    for path in plan.writes:
        context.say(f"wrote `{path}`\n")
    for path in plan.removals:
        context.say(f"removed `{path}`\n")
    if not plan.writes and not plan.removals:
        context.say(f"`{engine.name}` {nothing}\n")
    elif restart:
        context.say(f"`{engine.name}` reads it after `{restart}`\n")
    return 0


def leave(context: Context, plan: Plan, task: str, restart: str) -> int:
    """The lines alone to standard output, so that they can be sent where they belong."""
    assert plan.manual_step is not None, "asked for when there is one"
    context.say(plan.manual_step.lines)
    complain(
        f"nothing was changed: `{plan.manual_step.place}` is never rewritten, and {plan.manual_step.why}; "
        f"{task}, then `{restart}`"
    )
    return LEFT_TO_YOU_CODE

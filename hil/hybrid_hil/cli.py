"""The command `hil`: gathers the verbs of hybrid_hil.command, each imported only when it is used."""

import importlib
import re

import click

from hybrid_hil import command as verbs
from hybrid_hil.failure import RigError
from hybrid_hil.usage import WRONG_USAGE

VERBS = (
    *("boot", "bringup", "completion", "demo", "deploy", "doctor"),
    *("image", "nightly", "qemu", "report", "ssh", "test"),
)
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

EXIT_CODES = """\b
Exit codes:
  0    done, and proven where there is something to prove
  1    failed; stderr says what and gives the remedy
  2    wrong usage, or something this machine lacks
  130  interrupted; nothing is left behind
"""

_CLICK_SAYS = (
    (re.compile(r"'([^']*)'"), r"`\1`"),
    (re.compile(r" is not a valid (integer|integer range)$"), " is no whole number"),
    (re.compile(r" is not a valid (float|float range)$"), " is no number"),
)


class VerbGroup(click.Group):
    """A click group whose commands are those modules of hybrid_hil.command that VERBS names."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        if cmd_name not in VERBS:
            return None
        loaded = importlib.import_module(f"{verbs.__name__}.{cmd_name}").command
        return loaded if isinstance(loaded, click.Command) else None


@click.command(cls=VerbGroup, context_settings=CONTEXT, epilog=EXIT_CODES)
@click.version_option(package_name="hybrid-hil")
def hil() -> None:
    """Boots a board with Cortex-R5F cores, deploys hybrid-runtime on it, and proves that firmware really ran.

    \b
    Examples:
      hil demo              see a firmware's whole life on an emulated core
      hil boot              a board with your terminal on its console
      hil test              lint, type, unit and hardware-in-the-loop tests
      hil doctor            what this machine lacks
    """


def spoken(error: click.UsageError) -> RigError:
    """A usage error of click's: lower case, no full stop, values in backticks, and where to read on."""
    text = error.format_message().rstrip(".")
    for pattern, ours in _CLICK_SAYS:
        text = pattern.sub(ours, text)
    path = error.ctx.command_path if error.ctx is not None else "hil"
    return RigError(text[:1].lower() + text[1:], f"`{path} --help` shows what it takes", exit_code=WRONG_USAGE)

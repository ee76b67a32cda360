"""The command `hil`: gathers the verbs of hybrid_hil.command, each imported only when it is used."""

import importlib
import pkgutil

import click

from hybrid_hil import command as verbs

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

EXIT_CODES = """\b
Exit codes:
  0    done, and proven where there is something to prove
  1    failed; stderr says what and gives the remedy
  2    wrong usage, or something this machine lacks
  130  interrupted; nothing is left behind
"""


class VerbGroup(click.Group):
    """A click group whose commands are the modules of hybrid_hil.command."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return sorted(module.name for module in pkgutil.iter_modules(verbs.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
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

"""`hil completion`: what makes a shell complete verbs and options."""

import click
from click.shell_completion import get_completion_class

from hybrid_hil.terminal import out

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "hil"
# click asks for completions through this variable, and derives its name from the program's in the same way
VARIABLE = "_HIL_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete the verbs and options of `hil`.

    \b
    Examples:
      eval "$(hil completion bash)"                            in ~/.bashrc
      eval "$(hil completion zsh)"                             in ~/.zshrc, after compinit
      hil completion fish > ~/.config/fish/completions/hil.fish
    Exit codes: 0 printed, 2 no such shell.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    out.print(kind(context.find_root().command, {}, PROGRAM, VARIABLE).source(), markup=False)

"""`python -m hybrid_hil` and the installed command `hil`."""

import signal
import sys

import click

from hybrid_hil.cli import hil, spoken
from hybrid_hil.failure import RigError
from hybrid_hil.terminal import err, show_failure

INTERRUPTED = 130


def run(arguments: list[str]) -> int:
    """Runs one command line and returns the exit code; errors are shown on stderr."""
    try:
        result = hil.main(args=arguments, prog_name="hil", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        show_failure(spoken(error))
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except RigError as error:
        show_failure(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        err.print("interrupted")
        return INTERRUPTED
    return result if isinstance(result, int) else 0


def _interrupt(signum: int, frame: object) -> None:  # noqa: ARG001  the signal module's signature
    """TERM and HUP unwind like Ctrl-C, so that boards are put away."""
    raise KeyboardInterrupt


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

"""What plugins write at the end of a run: each for itself, so that one that fails takes nothing else with it."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pluggy
import pytest
from _pytest.junitxml import LogXML, xml_key

from hybrid_hil.report.loss import loss


class Losses:
    """A plugin of pytest's controlling process: a line for each report that is missing, and an exit code for all.

    pytest ends a hook at the first plugin that raises. Then its summary, the failures in it and the files of all later
    plugins would be missing as well.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    @contextmanager
    def noted(self, what: str, afterwards: str = "", *, file: Path | None = None) -> Iterator[None]:
        """What fails inside is a line, and the run goes on. `file` is what was to be written."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  a report may fail in any way, and the others are still wanted
            older = ", and what lies there is older" if file is not None and os.path.lexists(file) else ""
            self.lines.append(loss(f"{what} is not written{older}", error, afterwards))

    # nearer to the plugins than the wrapper in which pytest writes its summary
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        for end in session.config.hook.pytest_sessionfinish.get_hookimpls():
            if not (end.wrapper or end.hookwrapper):
                # pluggy looks it up when the plugin's turn comes
                end.function = self._shielded(end, session.config)  # type: ignore[misc]
        done = yield
        if self.lines and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return done

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.lines:
            terminalreporter.section("not written", red=True)
            for line in self.lines:
                terminalreporter.write_line(line, red=True)

    def _shielded(self, end: pluggy.HookImpl, config: pytest.Config) -> Callable[..., object]:
        if isinstance(end.plugin, LogXML):
            return self._junit(end.plugin, config)
        original, name = end.function, config.pluginmanager.get_name(end.plugin)

        def shielded(*arguments: object) -> object:
            with self.noted(f"what the plugin `{name}` keeps"):
                return original(*arguments)
            return None

        return shielded

    def _junit(self, junit: LogXML, config: pytest.Config) -> Callable[[], None]:
        """A file that ends in the middle is none, and nobody shall be told that it is there."""
        file, written = Path(junit.logfile), junit.pytest_sessionfinish

        def write() -> None:
            before = len(self.lines)
            with self.noted(f"JUnit's file `{file}`"):
                written()
            if len(self.lines) > before:
                config.pluginmanager.unregister(junit)
                del config.stash[xml_key]
                if file.is_file():
                    with suppress(OSError):
                        file.unlink()

        return write


LOSSES = pytest.StashKey[Losses]()

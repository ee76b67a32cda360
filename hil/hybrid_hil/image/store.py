"""The cache as builds of images use it: each component is made by programs, whose output goes to a log."""

from collections.abc import Callable
from pathlib import Path

from hybrid_hil.host.cache import Cache, Component, remove_tree
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.terminal import Reporter, Step

# The recipes of components name all of these here: their own text is part of what they make.
__all__ = ["KINDS", "SHORTCUTS", "Builder", "Component", "Store", "remove_tree"]

# What makes the next build faster and is no part of what was built.
SHORTCUTS = ("downloads", "ccache")
PARTS = ("source", "kernel", "keys", "interpreter", "rootfs", "platform", "release", "output", "buildroot")
KINDS = (*SHORTCUTS, *PARTS, "image", "snapshot", "emulator", "checkout")

Builder = Callable[[Path, BuildRunner, Step], None]


class Store(Cache):
    """The cache with a log for each component that is built."""

    def ensure(
        self, component: Component, build: Builder, reporter: Reporter, title: str, *, rebuild: bool = False
    ) -> Path:
        """The folder of `component`, as `made` gives it; `build` has a runner for its programs."""

        def make(folder: Path, step: Step) -> None:
            build(folder, self.runner(component), step)

        return self.made(component, make, reporter, title, rebuild=rebuild)

    def runner(self, component: Component) -> BuildRunner:
        return BuildRunner(self.root / "logs" / f"{component}.log")

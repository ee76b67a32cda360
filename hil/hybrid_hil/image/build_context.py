"""Where and how images are made: the cache, the checkout, the CPUs, and who is told."""

import os
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.image.folder import Image, open_image
from hybrid_hil.image.store import Builder, Component, Store
from hybrid_hil.terminal import Reporter


@dataclass(frozen=True)
class BuildContext:
    """What every way of making an image works with: `jobs` CPUs, and nothing that is in `store` already when
    `rebuild` is set."""

    store: Store
    checkout: Path
    reporter: Reporter
    jobs: int
    rebuild: bool = False

    def ensure(self, component: Component, build: Builder, title: str) -> Path:
        """The folder of `component`, built if it is missing or everything is to be built again."""
        return self.store.ensure(component, build, self.reporter, title, rebuild=self.rebuild)

    def put_together(self, component: Component, compose: Builder) -> Image:
        """The image `component`, made by `compose` if it is missing, and from now on the one used last."""
        place = self.ensure(component, compose, "putting the image together")
        os.utime(place)
        return open_image(place)

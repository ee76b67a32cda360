"""A cache of images for one run: it has all that is in the user's, and keeps what the run builds to itself."""

from pathlib import Path

from hybrid_hil.image.store import KINDS, Store

NAME = "hybrid-hil"


def link_cache(folder: Path) -> Path:
    """For XDG_CACHE_HOME. Components are links; a mutated platform is built beside them, and goes with the folder."""
    store = Store()
    for kind in KINDS:
        inner = folder / NAME / kind
        inner.mkdir(parents=True)
        for component in store.components(kind):
            (inner / component.digest).symlink_to(store.path(component))
    return folder

"""What a cache may lose: images nobody has used for long, and components that only they were made of."""

from hybrid_hil.image.folder import read_manifest
from hybrid_hil.image.store import KINDS, SHORTCUTS, Component, Store

KEPT = ("keys", "image", "emulator", *SHORTCUTS)


def superfluous(store: Store, keep: int) -> list[Component]:
    """All but the `keep` images used last, and every component that is in none of those. Keys, downloads, the
    compilers' cache and a fetched QEMU stay."""
    images = store.components("image")
    kept, gone = images[:keep], images[keep:]
    needed = {part for image in kept for part in parts_of(store, image)}
    parts = [part for kind in KINDS if kind not in KEPT for part in store.components(kind)]
    return gone + [part for part in parts if part not in needed]


def everything(store: Store) -> list[Component]:
    return [component for kind in reversed(KINDS) for component in store.components(kind)]


def parts_of(store: Store, image: Component) -> list[Component]:
    """The components an image was made of, by its manifest."""
    parts = read_manifest(store.path(image)).get("components")
    return [Component(kind, digest) for kind, digest in parts.items()] if isinstance(parts, dict) else []

"""`hil image`: builds, lists and removes what boards boot."""

import click
from rich.table import Table

from hybrid_hil.image.assembly import ORIGINS, ImageRequest, ensure_image
from hybrid_hil.image.folder import read_manifest
from hybrid_hil.image.retention import everything, superfluous
from hybrid_hil.image.store import Store
from hybrid_hil.terminal import TerminalReporter, out


@click.group()
def command() -> None:
    """Build, list and clean what boards boot."""


@command.command()
@click.option(
    "--from",
    "origin",
    type=click.Choice(ORIGINS),
    default=ORIGINS[0],
    show_default=True,
    help="What it is made from.",
)
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="CPUs to compile on.  [default: all]")
@click.option("--rebuild", is_flag=True, help="Build everything again, from the newest packages.")
def build(origin: str, jobs: int | None, rebuild: bool) -> None:
    """Build the image of this checkout, or find it in the cache, and print its folder.

    \b
    Examples:
      hil image build
      hil image build --jobs 4
      hil boot --image "$(hil image build)"
    """
    image = ensure_image(ImageRequest(origin, jobs, rebuild), TerminalReporter())
    out.print(str(image.folder), markup=False)


@command.command("list")
def list_images() -> None:
    """Show the images in the cache, the one used last first."""
    store = Store()
    table = Table(box=None, pad_edge=False)
    for heading in ("hash", "origin", "created", "kernel"):
        table.add_column(heading, no_wrap=True)
    table.add_column("folder", overflow="fold")
    for component in store.components("image"):
        manifest = read_manifest(store.path(component))
        shown = (str(manifest.get(name, "?")) for name in ("hash", "origin", "created", "kernel_version"))
        table.add_row(*shown, str(store.path(component)))
    out.print(table)


@command.command()
@click.option("--keep", type=click.IntRange(min=0), default=2, show_default=True, help="Images to keep.")
@click.option("--all", "all_of_it", is_flag=True, help="Remove everything, the keys included.")
def clean(keep: int, all_of_it: bool) -> None:
    """Remove images that were not used lately, and what only they were made of.

    \b
    Examples:
      hil image clean --keep 1
      hil image clean --all
    """
    store = Store()
    with store.alone():
        store.sweep()
        removed = everything(store) if all_of_it else superfluous(store, keep)
        for component in removed:
            store.remove(component)
            out.print(f"removed {component}")
        store.forget()
    out.print(f"{len(removed)} removed from {store.root}")

"""`hil image`: builds, lists and removes what boards boot."""

from pathlib import Path

import click
from rich.table import Table

from hybrid_hil.failure import RigError
from hybrid_hil.image.assembly import BUILDROOT, ORIGINS, ImageRequest, ensure_image, ensure_keys
from hybrid_hil.image.buildroot.request import (
    DEFCONFIG,
    SETTINGS_VARIABLE,
    TREE_VARIABLE,
    BuildrootRequest,
    request_from_environment,
)
from hybrid_hil.image.debian.engines import PACKAGES as ENGINES
from hybrid_hil.image.debian.given_programs import PROGRAMS
from hybrid_hil.image.debian.kernel_release import DEFAULT as USUAL_KERNEL
from hybrid_hil.image.debian.kernel_release import RELEASES as KERNELS
from hybrid_hil.image.debian.release import DEFAULT, RELEASES
from hybrid_hil.image.debian.request import debian_request
from hybrid_hil.image.folder import read_manifest
from hybrid_hil.image.retention import everything, superfluous
from hybrid_hil.image.store import Store
from hybrid_hil.terminal import TerminalReporter, out

TREE_HELP = f"Buildroot's sources; {TREE_VARIABLE} does the same.  [default: the pinned release, downloaded]"
DEBIAN_HELP = f"Debian that a Debian-made image is of: {', '.join(RELEASES)}.  [default: {DEFAULT.name}]"
KERNEL_HELP = f"Linux inside a Debian-made image: {', '.join(KERNELS)}.  [default: {USUAL_KERNEL.name}]"
ENGINES_HELP = (
    f"Container engines inside a Debian-made image: {', '.join(ENGINES)}. "
    f"Their programs are given for {', '.join(f'{name}=DIR' for name in PROGRAMS)}."
)
SETTINGS_HELP = (
    f"Lines that count after the defconfig's: a mirror, a toolchain ({SETTINGS_VARIABLE}: separated by colons)."
)


@click.group()
def command() -> None:
    """Build, list and clean what boards boot.

    \b
    Examples:
      hil image build
      hil image list
      hil image clean --keep 1
    """


@command.command()
@click.option(
    "--from",
    "origin",
    type=click.Choice(ORIGINS),
    default=ORIGINS[0],
    show_default=True,
    help="What it is made from.",
)
@click.option("--debian", type=click.Choice(list(RELEASES)), help=DEBIAN_HELP)
@click.option("--kernel", type=click.Choice(list(KERNELS)), help=KERNEL_HELP)
@click.option("--with", "engines", metavar="NAME,…", multiple=True, help=ENGINES_HELP)
@click.option("--buildroot", "tree", type=click.Path(path_type=Path), metavar="DIR", help=TREE_HELP)
@click.option("--defconfig", metavar="NAME", help=f"One of buildroot/configs.  [default: {DEFCONFIG}]")
@click.option("--settings", type=click.Path(path_type=Path), multiple=True, metavar="FILE", help=SETTINGS_HELP)
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="CPUs to compile on.  [default: all]")
@click.option("--rebuild", is_flag=True, help="Build everything again, from the newest packages.")
def build(
    origin: str,
    debian: str | None,
    kernel: str | None,
    engines: tuple[str, ...],
    tree: Path | None,
    defconfig: str | None,
    settings: tuple[Path, ...],
    jobs: int | None,
    rebuild: bool,
) -> None:
    """Build the image of this checkout, or find it in the cache, and print its folder.

    A Buildroot build that was interrupted or failed goes on where it stopped when the same is asked for again.

    \b
    Examples:
      hil image build
      hil image build --jobs 4
      hil image build --debian 13 --kernel newest
      hil image build --with podman,containerd,docker
      hil image build --debian 13 --with crio=~/crio-arm64
      hil image build --debian testing --with kubernetes=~/kubernetes/arm64
      hil boot --image "$(hil image build)"
      hil image build --from buildroot
      hil image build --from buildroot --buildroot ~/buildroot-2026.02.3 --settings mirror.config
      hil image build --from buildroot --defconfig hybrid_versal_virt_engines_defconfig
    Exit codes: 0 it is there, 1 the build failed, 2 wrong usage or something is missing, 130 interrupted.
    """
    if origin != BUILDROOT and (tree or defconfig or settings):
        raise RigError(
            "--buildroot, --defconfig and --settings are for Buildroot images", "add --from buildroot", exit_code=2
        )
    given = request_from_environment()
    buildroot = BuildrootRequest(tree or given.tree, defconfig or given.defconfig, settings or given.settings)
    inside = debian_request(debian, kernel, filter(None, ",".join(engines).split(",")))
    image = ensure_image(ImageRequest(origin, jobs, rebuild, inside, buildroot), TerminalReporter())
    out.print(str(image.folder), markup=False)


@command.command()
def keys() -> None:
    """Print the folder with the keys of emulated boards, made on first use.

    A Buildroot build by hand puts them into its image.

    \b
    Examples:
      make HYBRID_BOARD_KEYS=$(hil image keys)
    Exit codes: 0 printed.
    """
    out.print(str(ensure_keys(TerminalReporter())), markup=False)


@command.command("list")
def list_images() -> None:
    """Show the images in the cache, the one used last first.

    \b
    Examples:
      hil boot --image "$(hil image list | awk 'NR == 2 { print $NF }')"
    Exit codes: 0 shown.
    """
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
    Exit codes: 0 removed, 1 a build is under way.
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

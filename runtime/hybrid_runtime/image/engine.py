"""The engines that have images, asked through their own commands: who has a name, and the image as an archive."""

import os

from hybrid_runtime.image.engine_command import Commands, Unanswered, require_success
from hybrid_runtime.image.reference import CONTAINERD, DAEMON, OCI, STORAGE, Reference, familiar
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.json_text import BadJSON, read_object
from hybrid_runtime.system.text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Engine(Protocol):
        prefix: str
        program: str

        def has(self, name: str) -> bool:
            """Raises Unanswered."""

        def export(self, name: str) -> int | Reference:
            """A descriptor of the image as an archive, or the folder where it lies. Raises Failure."""


# Of ctr(8).
_DEFAULT_NAMESPACE = "default"


class Podman:
    prefix = STORAGE
    program = "podman"

    def __init__(self, commands: Commands) -> None:
        self.commands = commands

    def has(self, name: str) -> bool:
        answer = self.commands.run("podman", "image", "exists", "--", name)
        if answer.code not in (0, 1):
            raise Unanswered(f"podman cannot tell: {answer.complaint}")
        return answer.code == 0 or self._artifact(name) is not None

    def _artifact(self, name: str) -> str | None:
        """The full name of an artifact, which podman has since 5.4 beside its images."""
        answer = self.commands.run("podman", "artifact", "inspect", "--", name)
        if answer.code:
            return None
        try:
            return str(read_object(answer.stdout.encode()).get("Name", name))
        except BadJSON as error:
            raise Unanswered(f"podman cannot tell: {error}") from error

    def _artifacts(self) -> str:
        """The folder with all of them, an OCI layout."""
        answer = self.commands.run("podman", "info", "--format", "{{.Store.GraphRoot}}")
        require_success(answer, "podman")
        return f"{answer.stdout.strip()}/artifacts"

    def _save(self, name: str) -> int | Reference:
        """An artifact cannot be saved. It is asked for only then, since each question costs the start of podman."""
        try:
            return self.commands.save("podman", "image", "save", "--quiet", "--format", "oci-archive", "--", name)
        except Unanswered:
            raise
        except Failure:
            if self.commands.run("podman", "image", "exists", "--", name).code == 0:
                raise
            artifact = self._artifact(name)
            if artifact is None:
                raise
            return Reference(name, OCI, self._artifacts(), artifact)

    def export(self, name: str) -> int | Reference:
        """Of a manifest list, save would take the image for this machine's own processor alone."""
        if self.commands.run("podman", "manifest", "exists", "--", name).code:
            return self._save(name)
        path = self.commands.temporary.new_path()
        words = ("podman", "manifest", "push", "--all", "--quiet", "--", name, f"oci-archive:{path}")
        require_success(self.commands.run(*words), "podman")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        os.unlink(path)
        return descriptor


class Docker:
    prefix = DAEMON
    program = "docker"

    def __init__(self, commands: Commands) -> None:
        self.commands = commands

    def has(self, name: str) -> bool:
        if "podman" in self.commands.run("docker", "--version").stdout.lower():
            raise Unanswered("`docker` is podman here")
        answer = self.commands.run("docker", "image", "inspect", "--format", "{{.Id}}", "--", name)
        if answer.code and "no such image" not in answer.stderr.lower():
            raise Unanswered(f"docker cannot tell: {answer.complaint}")
        return answer.code == 0

    def export(self, name: str) -> int:
        return self.commands.save("docker", "image", "save", "--", name)


class Containerd:
    """Its images have full names in namespaces; what Docker's users leave out is filled in."""

    prefix = CONTAINERD
    program = "ctr"

    def __init__(self, commands: Commands) -> None:
        self.commands = commands

    def _list(self, *words: str) -> list[str]:
        answer = self.commands.run("ctr", *words)
        if answer.code:
            raise Unanswered(f"containerd cannot tell: {answer.complaint}")
        return answer.stdout.split()

    def _find(self, name: str) -> tuple[str, str] | None:
        """Namespace and full name. The first part of a name is a namespace where containerd has one called so."""
        first, slash, rest = name.partition("/")
        if slash and first in self._namespaces():
            return self._find_in(first, rest)
        return self._find_in(_DEFAULT_NAMESPACE, name)

    def _find_elsewhere(self, name: str) -> tuple[str, str] | None:
        """In the namespaces that others have, as Docker and Kubernetes do. Raises Failure for several of these."""
        others = sorted(set(self._namespaces()) - {_DEFAULT_NAMESPACE})
        places = [place for place in (self._find_in(other, name) for other in others) if place is not None]
        if len(places) > 1:
            ways = " or ".join(f"{self.prefix}:{namespace}/{name}" for namespace, _ in places)
            raise Failure(
                f"{len(places)} namespaces of containerd have an image {quote(name)}", f"say which one: {ways}"
            )
        return places[0] if places else None

    def _namespaces(self) -> list[str]:
        return self._list("namespaces", "list", "--quiet")

    def _find_in(self, namespace: str, name: str) -> tuple[str, str] | None:
        for image in self._list("--namespace", namespace, "images", "list", "--quiet"):
            if image == name or (image.startswith("docker.io/") and familiar(image) == familiar(name)):
                return namespace, image
        return None

    def has(self, name: str) -> bool:
        """Not looked for in the namespaces of others: an image of Docker may be one of containerd's as well."""
        return self._find(name) is not None

    def export(self, name: str) -> int:
        found = self._find(name) or self._find_elsewhere(name)
        if found is None:
            remedy = "`ctr images list` shows what there is, with --namespace NAME in another namespace"
            raise Failure(f"containerd has no image {quote(name)}", remedy)
        namespace, image = found
        export = ("ctr", "--namespace", namespace, "images", "export")
        try:
            return self.commands.save(*export, "--all-platforms", "--", "-", image)
        except Unanswered:
            raise
        except Failure:
            # Images of other platforms may not have been pulled.
            return self.commands.save(*export, "--", "-", image)


def engines(commands: Commands) -> "list[Engine]":
    """In the order in which they are asked."""
    return [Podman(commands), Docker(commands), Containerd(commands)]


def engine_with(name: str, all_engines: "list[Engine]") -> "Engine":
    """The only one that has an image of that name. Raises Failure."""
    found: list[Engine] = []
    answers = []
    for engine in all_engines:
        try:
            if engine.has(name):
                found.append(engine)
            answers.append(f"{engine.program} has none")
        except Unanswered as reason:
            answers.append(reason.message)
    if not found:
        raise Failure(
            f"{quote(name)} is neither a file nor an image of an engine: {', '.join(answers)}",
            "give the path of a firmware, pull or build the image, or write oci:, oci-archive: or docker-archive:PATH",
        )
    if len(found) > 1:
        ways = " or ".join(f"{engine.prefix}:{name}" for engine in found)
        raise Failure(f"{len(found)} engines have an image {quote(name)}", f"say which one: {ways}")
    return found[0]


def engine_of(prefix: str, all_engines: "list[Engine]") -> "Engine":
    return next(engine for engine in all_engines if engine.prefix == prefix)

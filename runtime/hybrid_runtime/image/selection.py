"""Which of the candidates is for this board: the one, or an error that lists them all."""

from hybrid_runtime.image.candidate import Candidate
from hybrid_runtime.processor.board import Board
from hybrid_runtime.processor.choice import ProcessorSelector
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import listing, quote

NAME = "remoteproc.name"
DEVICE = "remoteproc.device"
ALLOCATED = "remoteproc.allocated"


class Choice:
    """A candidate and the annotations its container gets."""

    def __init__(self, candidate: Candidate, annotations: dict[str, str]) -> None:
        self.candidate = candidate
        self.annotations = annotations


class Selection:
    """`given` are the annotations and `option` the processor of the command line."""

    def __init__(self, board: Board, given: dict[str, str], option: str) -> None:
        self.board = board
        self.given = given
        self.option = option

    def annotations(self, candidate: Candidate) -> dict[str, str]:
        """Those of the image that are meant for this runtime; what was given on the command line wins."""
        own = {key: value for key, value in candidate.annotations.items() if key.startswith("remoteproc.")}
        # Not an image's to say.
        own.pop(ALLOCATED, None)
        if NAME in self.given or DEVICE in self.given:
            own.pop(NAME, None)
            own.pop(DEVICE, None)
        return own | self.given

    def objection(self, candidate: Candidate) -> str:
        """Why it is not for this board and the processor asked for; empty when it is."""
        if candidate.board and not self.board.is_called(candidate.board):
            return f"is for the board {quote(candidate.board)}"
        selector = self._wish(candidate)
        fitting = [name for name, device in self.board.processors if selector.matches(name, device)]
        if candidate.mcu and candidate.mcu not in fitting:
            asked = f", not for {selector}" if selector.is_given else ""
            return f"is for the mcu {quote(candidate.mcu)}{asked}"
        return ""

    def _wish(self, candidate: Candidate) -> ProcessorSelector:
        return ProcessorSelector(self.annotations(candidate), candidate.configuration.processor_names, self.option)

    def choose(self, candidates: list[Candidate], absent: list[str]) -> Choice:
        """Raises Failure unless exactly one is left."""
        objections = [(candidate, self.objection(candidate)) for candidate in candidates]
        fitting = {self._identity(candidate): candidate for candidate, objection in objections if not objection}
        if len(fitting) == 1:
            return self._choice(*fitting.values())
        if not objections and not absent:
            raise Failure("there is no firmware image in it", "give another one, or another REF")
        if fitting:
            words = [f"{quote(candidate.name)} {_marks(candidate)}" for candidate in fitting.values()]
            raise Failure(
                f"{len(fitting)} images are for this board: {listing(words)}",
                "name the processor with --annotation remoteproc.name=NAME, or an image by REF or digest, or give each "
                "image labels board and mcu of its own",
            )
        words = [f"{quote(candidate.name)} {objection}" for candidate, objection in objections]
        words += [f"{quote(digest)} was not stored with the others" for digest in absent]
        raise Failure(f"no image is for this board: {listing(words)}", str(self.board))

    def _identity(self, candidate: Candidate) -> tuple[object, ...]:
        """An image listed twice, say for two boards that this one is both of, is one image."""
        return (*candidate.digests[-1:], candidate.mcu, *sorted(self.annotations(candidate).items()))

    def _choice(self, candidate: Candidate) -> Choice:
        annotations = self.annotations(candidate)
        if candidate.mcu and not self._wish(candidate).is_given:
            annotations[NAME] = candidate.mcu
        return Choice(candidate, annotations)


def _marks(candidate: Candidate) -> str:
    marks = [("board", candidate.board), ("mcu", candidate.mcu)]
    return " ".join(f"{key} {quote(value)}" for key, value in marks if value) or "without board and mcu"

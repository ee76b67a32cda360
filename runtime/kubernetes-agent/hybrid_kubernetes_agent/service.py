"""gRPC services on a unix socket, by their published names."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

# A kubelet holds one stream, and an old one may not have ended yet.
_THREADS = 8
_STOP_S = 1.0


@dataclass(frozen=True)
class Method:
    """`request` is the class of its message. `act` gets one and the context, and returns the answer, or many."""

    request: Any
    act: Callable[..., Any]
    streams: bool = False


# By the name of the service, and of the method.
Services = Mapping[str, Mapping[str, Method]]


class SocketServer:
    """Serves after `start`, until `stop`; both may come again."""

    def __init__(self, socket: Path, services: Services) -> None:
        self.socket = socket
        self._services = services
        self._server: grpc.Server | None = None

    def start(self) -> None:
        """Raises OSError where the socket cannot be made."""
        self.socket.unlink(missing_ok=True)
        server = grpc.server(ThreadPoolExecutor(max_workers=_THREADS))
        for service, methods in self._services.items():
            handlers = {name: _handler(method) for name, method in methods.items()}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        try:
            server.add_insecure_port(f"unix://{self.socket}")
        except RuntimeError as error:
            raise OSError(f"cannot listen on `{self.socket}`: {error}") from error
        server.start()
        self._server = server

    def stop(self) -> None:
        """What is answered now gets its answer. Raises OSError where the socket cannot be removed."""
        if self._server is not None:
            self._server.stop(_STOP_S).wait()
            self._server = None
        self.socket.unlink(missing_ok=True)


def _handler(method: Method) -> Any:
    make = grpc.unary_stream_rpc_method_handler if method.streams else grpc.unary_unary_rpc_method_handler
    return make(
        method.act,
        request_deserializer=method.request.FromString,
        response_serializer=lambda answer: answer.SerializeToString(),
    )

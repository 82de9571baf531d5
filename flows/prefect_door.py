"""Prefect's server as a process of ours, started by path: ``python -P prefect_door.py PARENT SOCKET PORT``.

``prefect server start`` binds its own port, which another account could take first and be given the password, and answers
whatever name and origin a browser brings. Here the listening socket comes from the parent, and a request that is not meant for
this address, or that another site's page makes, is turned away before Prefect sees it. What it must know it gets by environment.
"""

import ctypes
import os
import signal
import socket
import sys
from typing import Any


class Door:
    """ASGI: lets in what is addressed to ``host``, from its own pages or from no page at all."""

    def __init__(self, app: Any, host: str) -> None:
        self.app, self.host, self.origin = app, host.encode(), f"http://{host}".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or (problem := self._problem(scope["headers"])) is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": problem})
        else:
            body = f"{problem}\n".encode()
            headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    def _problem(self, headers: list[tuple[bytes, bytes]]) -> str | None:
        if [value for name, value in headers if name == b"host"] != [self.host]:
            return f"this server answers at http://{self.host.decode()} only"
        if any(value != self.origin for name, value in headers if name == b"origin"):
            return "pages of another site may not ask this server"
        return None


def end_with(parent: int) -> None:
    """The kernel ends this process when its parent dies, also by `kill -9`, which no handler of the parent's would see."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that wanted this server has ended")


def main(parent: int, listening: int, port: int) -> None:
    """Serves until it is stopped."""
    end_with(parent)

    import uvicorn  # noqa: PLC0415
    from prefect.server.api.server import create_app  # noqa: PLC0415
    from prefect.settings import get_current_settings  # noqa: PLC0415

    settings = get_current_settings().server
    config = uvicorn.Config(
        Door(create_app(final=True), f"127.0.0.1:{port}"),
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout,
        log_level=settings.logging_level.lower(),
        lifespan="on",
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[socket.socket(fileno=listening)])
    if not server.started:
        sys.exit(3)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

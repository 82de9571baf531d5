"""Ctrl-C and SIGTERM: noted as they come, so that what they break off is told from a failure.

An exception out of a signal's handler is not enough. DuckDB makes ``RuntimeError: Query interrupted`` of it, another library a failure of its
own, or nothing. So the handlers here note the signal first; a step that ends after that has been stopped, whatever it raises, and raises that.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # The command line imports this for every command: also for those that open nothing.
    from duckdb import DuckDBPyConnection

NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
# A process that a signal has stopped ends with this and the signal: 130 by Ctrl-C, 143 by SIGTERM.
SIGNAL_CODES = 128
# `timeout` and some service managers send a signal to the process and to its group: that is one wish, not two.
ONE_WISH_SECONDS = 2.0


class Stopped(KeyboardInterrupt):
    """This process was asked to stop, by the signal ``number``. As KeyboardInterrupt, libraries let it pass."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {NAMES[signal.Signals(number)]}")
        self.number = number


@dataclass
class _Noted:
    """What came, for the process: signals are its own matter. ``words``: what the run has come to, for the last line."""

    depth: int = 0
    number: int | None = None
    at: float = 0.0
    raised: BaseException | None = None
    is_ending: bool = False
    words: str | None = None
    running: "set[DuckDBPyConnection]" = field(default_factory=set)


_noted = _Noted()


def noted() -> int | None:
    """The signal that has asked this process to stop, if any."""
    return _noted.number


def last_words() -> str:
    """One line for whoever has stopped the command."""
    by = NAMES[signal.Signals(_noted.number)] if _noted.number else "nobody"
    return _noted.words or f"stopped by {by}; run the same again"


def leave_words(words: str) -> None:
    """From here on the process only ends: what a further signal asks for is under way."""
    _noted.words, _noted.is_ending = words, True


@contextmanager
def noticing() -> Iterator[None]:
    """Notes both signals in the block, and then lets the handlers do what they did before. Outside the main thread it does nothing.

    A signal that is ignored stays ignored (``nohup``). The outermost block begins with nothing noted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if _noted.depth == 0:
        vars(_noted).update(vars(_Noted()))
    _noted.depth += 1
    before = {number: signal.getsignal(number) for number in NAMES}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN and not isinstance(handler, _Noting):
                signal.signal(number, _Noting(handler))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _noted.depth -= 1


@contextmanager
def stoppable() -> Iterator[None]:
    """A piece of work that a signal may break off: then it raises that, and nothing that was made of it."""
    with noticing():
        _raise_if_stopped(None)
        try:
            yield
        except BaseException as failure:
            if isinstance(failure, Exception):
                _raise_if_stopped(failure)
            raise
        _raise_if_stopped(None)


def check_stopped() -> None:
    """Raises what the signal raised, where some library has swallowed it or made a fault of a file of it."""
    _raise_if_stopped(None)


@contextmanager
def interruptible(connection: "DuckDBPyConnection") -> Iterator[None]:
    """The queries of another thread on ``connection``: a signal, which reaches the main thread alone, interrupts them too."""
    _noted.running.add(connection)
    try:
        with stoppable():
            yield
    finally:
        _noted.running.discard(connection)


def stopped_by(failure: BaseException) -> int | None:
    """The signal behind ``failure``; None where it is a failure of its own. Prefect has a handler of its own for SIGTERM."""
    if _noted.number is not None:
        return _noted.number
    if isinstance(failure, KeyboardInterrupt):
        return signal.SIGINT
    return None if isinstance(failure, (Exception, SystemExit, GeneratorExit)) else signal.SIGTERM


class _Noting:
    def __init__(self, before: Callable[[int, FrameType | None], object] | int | None) -> None:
        self.before = before

    def __call__(self, number: int, frame: FrameType | None) -> None:
        is_same_wish = _noted.number is not None and time.monotonic() - _noted.at < ONE_WISH_SECONDS
        _noted.number = _noted.number or number
        if is_same_wish or _noted.is_ending:
            return
        _noted.at = time.monotonic()
        for connection in tuple(_noted.running):
            connection.interrupt()
        try:
            if callable(self.before) and self.before is not signal.default_int_handler:
                self.before(number, frame)
            raise Stopped(number)
        except BaseException as raised:
            _noted.raised = raised
            raise


def _raise_if_stopped(failure: Exception | None) -> None:
    if _noted.number is None:
        return
    is_main = threading.current_thread() is threading.main_thread()
    raise (_noted.raised if is_main and _noted.raised else Stopped(_noted.number)) from failure

"""Ctrl-C and SIGTERM: noted as they come, so that what they break off is told from a failure.

An exception out of a signal's handler is not enough. DuckDB makes ``RuntimeError: Query interrupted`` of it, another library a failure of its
own, or nothing. So the handlers here note the signal first; a step that ends after that has been stopped, whatever it raises, and raises that.

Nor does the handler always run while the main thread waits in C for a long query, and where it does the query may go on all the same. So a
thread hears of the signal as well, and interrupts what runs.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
# How long the main thread has for its handler before its query is interrupted, and how often queries are.
HEED_SECONDS = 0.05
# How long the queries of other threads have at the end of a stopped process, which ends without them then.
LAST_SECONDS = 10.0


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
    # Where its handler came upon the main thread, until that has gone on.
    place: tuple[FrameType, int] | None = None
    raised: BaseException | None = None
    is_ending: bool = False
    words: str | None = None
    # The connections with queries that a signal interrupts, and whether the main thread waits for them.
    running: "dict[DuckDBPyConnection, bool]" = field(default_factory=dict)


_noted = _Noted()
# Held while a query is interrupted, and by the handler: what the main thread asks after it is let alone.
_interrupting = threading.RLock()


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
def noticing(*, is_last: bool = False) -> Iterator[None]:
    """Notes both signals in the block, and then lets the handlers do what they did before. Outside the main thread it does nothing.

    A signal that is ignored stays ignored (``nohup``). The outermost block begins with nothing noted. After the last block of a process
    both are ignored: there is nothing left to stop but Python's clean-up.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if _noted.depth > 0:
        _noted.depth += 1
        try:
            with _handlers(is_last=is_last):
                yield
        finally:
            _noted.depth -= 1
        return
    vars(_noted).update(vars(_Noted()), depth=1)
    try:
        with _watcher(), _handlers(is_last=is_last):
            yield
    finally:
        _noted.depth, _noted.place = 0, None


@contextmanager
def _handlers(*, is_last: bool) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in NAMES}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN and not isinstance(handler, _Noting):
                signal.signal(number, _Noting(handler))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if is_last else handler)


@contextmanager
def _watcher() -> Iterator[None]:
    """A thread that hears of a signal when it comes, also while the main thread waits in C and no handler can run."""
    heard, telling = os.pipe()
    os.set_blocking(telling, False)
    is_over = threading.Event()
    thread = threading.Thread(target=_watch, args=(heard, is_over), name="kpi-signals", daemon=True)
    thread.start()
    before = signal.set_wakeup_fd(telling, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(telling)
        if _noted.number is not None:
            # A thread that is still in C when Python ends brings the process down.
            thread.join(LAST_SECONDS)
        is_over.set()
        thread.join()
        os.close(heard)


def _watch(heard: int, is_over: threading.Event) -> None:
    """Interrupts, from a signal on: the main thread's query until it goes on to raise, those of other threads until they have ended."""
    while numbers := os.read(heard, 1):
        if numbers[0] in NAMES:
            while not is_over.wait(HEED_SECONDS) and _interrupt():
                pass


def _interrupt() -> bool:
    """Interrupts each query that is to be, if only between two of them. Gives whether there was any."""
    with _interrupting:
        if _noted.place != _place(sys._current_frames().get(threading.main_thread().ident or 0)):
            _noted.place = None
        is_heeded = _noted.number is not None and _noted.place is None
        due = [connection for connection, is_main in tuple(_noted.running.items()) if not (is_main and is_heeded)]
        for connection in due:
            with suppress(Exception):  # closed meanwhile
                connection.interrupt()
    return bool(due)


def _place(frame: FrameType | None) -> tuple[FrameType, int] | None:
    """Where a thread is: as long as it waits in one call of C, it stays there."""
    return None if frame is None else (frame, frame.f_lasti)


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
    """A signal in the block interrupts the queries of this thread on ``connection``; what they raise then is for ``stoppable``."""
    _noted.running[connection] = threading.current_thread() is threading.main_thread()
    try:
        yield
    finally:
        _noted.running.pop(connection, None)


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
        if is_same_wish or _noted.is_ending:
            return
        with _interrupting:
            _noted.number, _noted.place = _noted.number or number, _place(frame)
        _noted.at = time.monotonic()
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

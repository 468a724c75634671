"""Processes that prepare batches ahead of the one that trains.

What they are asked to do depends on nothing but its arguments, so their number and their order
change no result. Answers come through pipes and not through shared memory, of which containers
have little.
"""

import os
import signal
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Generic, TypeVar

from residua.errors import RunError

Question = TypeVar("Question")
Answer = TypeVar("Answer")

ORPHAN_SECONDS = 1.0


class Workers(Generic[Question, Answer]):
    """Processes that answer questions with a function they were given once.

    Args:
        function: a function or an object of a module, which can be pickled.
        count: of processes; with 0 questions are answered when the answer is asked for.
    """

    def __init__(self, function: Callable[[Question], Answer], count: int) -> None:
        self.function = function
        self.pool: ProcessPoolExecutor | None = None
        if count:
            self.pool = ProcessPoolExecutor(
                count, initializer=_begin, initargs=(function, os.getpid())
            )
            self._close = weakref.finalize(
                self, self.pool.shutdown, wait=False, cancel_futures=True
            )

    def ask(self, question: Question) -> Callable[[], Answer]:
        """Put a question; what is returned waits for its answer.

        Raises:
            RunError: a process has died (also when waiting).
        """
        if self.pool is None:
            return lambda: self.function(question)
        try:
            future = self.pool.submit(_answer, question)
        except BrokenProcessPool:
            raise _lost() from None
        return lambda: _wait(future)

    def close(self) -> None:
        """End the processes; questions that no one has begun to answer are dropped."""
        if self.pool is not None:
            self._close()


def _wait(future: Future[Answer]) -> Answer:
    try:
        return future.result()
    except BrokenProcessPool:
        raise _lost() from None


def _lost() -> RunError:
    return RunError(
        "a process that reads pictures ended unexpectedly: it was killed, perhaps because memory "
        "ran out (fewer of them need less: --data.workers)"
    )


_function: Callable[[Any], Any]


def _begin(function: Callable[[Any], Any], parent: int) -> None:
    """Set up a process: Ctrl-C is for the one that trains, and without it this one ends."""
    global _function  # noqa: PLW0603 -- the only way to hand a process something once
    _function = function
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_without, args=(parent,), daemon=True).start()


def _end_without(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHAN_SECONDS)
    os._exit(1)


def _answer(question: Any) -> Any:
    return _function(question)

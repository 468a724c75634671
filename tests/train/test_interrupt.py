import os
import signal
import threading

import pytest

from residua.train.interrupt import asked_to_stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_only_heard(number):
    with asked_to_stop() as asked:
        assert not asked()
        os.kill(os.getpid(), number)
        assert asked()


def test_the_second_signal_does_what_it_always_did():
    with asked_to_stop() as asked:
        os.kill(os.getpid(), signal.SIGINT)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT)
    with asked_to_stop():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_are_never_asked():
    heard = []

    def wait():
        with asked_to_stop() as asked:
            heard.append(asked())

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()
    assert heard == [False]

"""A hostile session: no network but loopback, warnings are errors, every test in its own folder."""

import ipaddress
import os
import random
import socket
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch


def _is_local(address):
    if not isinstance(address, tuple):
        return True
    host = address[0]
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


look_up = socket.getaddrinfo


def nameless(host, *args, **kwargs):
    if host != "127.0.0.1":
        raise RuntimeError(f"a test tried to look up {host}")
    return look_up(host, *args, **kwargs)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    connect = socket.socket.connect

    def guarded(self, address):
        if not _is_local(address):
            raise RuntimeError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", nameless)


@pytest.fixture(autouse=True)
def own_folder_and_seeds(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


@pytest.fixture
def real_data():
    """Find a set in the folder of real data; the test is skipped where it is not there."""
    top = os.environ.get("RESIDUA_DATA", "")

    def folder(name):
        path = Path(top) / name
        if not top or not path.is_dir():
            pytest.skip(reason=f"set RESIDUA_DATA to a folder that holds {name}/ to run this")
        return path

    return folder


def pytest_configure():
    # A busy machine is no fault of the code.
    hypothesis.settings.register_profile("untimed", deadline=None)
    hypothesis.settings.load_profile("untimed")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))

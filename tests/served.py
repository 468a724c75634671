"""Servers for tests, in a thread of their own, and what they are asked with."""

import asyncio
import contextlib
import io
import threading
import time

import httpx
import numpy as np
import torch
from PIL import Image

from fake_detector import fake
from pictured import photograph
from residua import cifar_resnet
from residua.data.fit import Center, Whole
from residua.data.normalize import Normalize
from residua.deploy.engine import Eager
from residua.deploy.predictor import Classifier, Finder
from residua.deploy.serve import app as interface
from residua.deploy.serve import server
from residua.deploy.serve.limits import Limits
from residua.deploy.serve.service import service
from residua.detect.testing import TestingConfig

CPU = torch.device("cpu")


class Bright:
    """An engine that knows bright from dark: logits are the mean pixel and its negative."""

    def __init__(self, wait=0.0):
        self.wait = wait
        self.batches = []

    def __call__(self, pixels):
        self.batches.append(len(pixels))
        time.sleep(self.wait)
        mean = pixels.float().mean(dim=(1, 2, 3)) / 25.5 - 5
        return torch.stack([mean, -mean], dim=1)


def bright(folder, *, engine=None, channels=3):
    """A classifier of bright and dark pictures, of the middle of each."""
    return Classifier(
        engine=engine or Bright(),
        classes=("bright", "dark"),
        shape=(channels, 8, 8),
        fit=Center(),
        folder=folder,
        brightness=0.5,
    )


def digits(folder):
    """A small net for grey pictures of 8x8, as `make train` leaves one, but untrained."""
    torch.manual_seed(0)
    net = cifar_resnet(8, in_channels=1)
    normalize = Normalize.of((0.3,), (0.37,))
    names = tuple(map(str, range(10)))
    return Classifier(Eager(net, normalize, CPU), names, (1, 8, 8), Whole(), folder, 0.3)


def finder(folder):
    """A detector that finds two cats everywhere, one surer than the other."""
    detector = fake(
        [[10.0, 10.0, 30.0, 30.0], [40.0, 20.0, 50.0, 45.0]],
        probability=lambda left: 0.9 if left < 20 else 0.3,
    )
    return Finder(detector, ("cat", "dog"), TestingConfig(), folder)


@contextlib.contextmanager
def serving(predictor, *, key="", hosts=(), **limits):
    """Serve a predictor; gives a client of it, whose `service` and `server` are what answers."""
    made = service(predictor, Limits(**limits))
    application = interface.build(made, key=key, hosts=hosts)
    listening = server.listen("127.0.0.1", 0)
    running = server.make(application, made.gate, made.limits)
    thread = threading.Thread(target=lambda: asyncio.run(running.serve(sockets=[listening])))
    thread.start()
    try:
        while not running.started:
            time.sleep(0.01)
        port = listening.getsockname()[1]
        place = f"http://127.0.0.1:{port}"
        # Certificates take a while to load, and there are none here.
        with httpx.Client(base_url=place, trust_env=False, verify=False, timeout=20) as client:
            client.port, client.service, client.server = port, made, running
            yield client
    finally:
        running.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def picture(kind="PNG", *, size=(20, 14), light=None, seed=0, **options):
    """The bytes of a picture: a smooth photograph, or one shade of grey."""
    pixels = photograph(*size, seed=seed)
    if light is not None:
        pixels = np.full_like(pixels, light)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def refused(response, status):
    """The sentence of a refusal; fails if it is none of the form that is promised."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == status
    assert told["title"]
    assert "Traceback" not in response.text
    return told["detail"]

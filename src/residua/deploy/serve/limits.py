"""What a server takes on: how much of everything, and for how long."""

import dataclasses

from residua.config import settings
from residua.errors import ConfigError


@settings
class Limits:
    """Bounds within which requests are answered; what goes beyond one is told which.

    Attributes:
        body: bytes of a request, the pictures in it included.
        pixels: of a picture.
        pictures: in one request.
        queue: requests at a time; further ones are told when to come back.
        memory: bytes of all requests at a time.
        connections: at a time; further ones are told when to come back.
        head: seconds for the first lines of a request to arrive.
        upload: seconds for the rest of it to arrive.
        wait: seconds for a picture to be answered.
        idle: seconds after which a connection that asks for nothing is closed.
        shutdown: seconds to finish what was begun when the server is told to stop.
    """

    body: int = 20_000_000
    pixels: int = 40_000_000
    pictures: int = 16
    queue: int = 128
    memory: int = 512_000_000
    connections: int = 512
    head: float = 10.0
    upload: float = 30.0
    wait: float = 60.0
    idle: int = 15
    shutdown: float = 60.0

    def check(self) -> None:
        """Refuse bounds that let nothing through.

        Raises:
            ConfigError: one is not above 0.
        """
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ConfigError(f"limits.{field.name} must be above 0, got {value}")

"""The form of what is answered, as the interface's description shows it."""

from typing import NotRequired

from pydantic import ConfigDict
from typing_extensions import TypedDict

Triple = tuple[int, int, int]


class Seconds(TypedDict):
    """How long a picture took: reading it, waiting in the line, the network."""

    read: float
    waited: float
    network: float


class Spent(TypedDict):
    """How long a request took: until it had arrived, and in all."""

    upload: float
    total: float


Named = TypedDict(
    "Named",
    {"class": str, "index": int, "probability": float, "map": NotRequired[list[list[float]]]},
)
Named.__doc__ = """A class with its probability, in [0, 1], and where in the picture it is from.

The mean of the map is the logit without its bias."""


class Picture(TypedDict):
    """What is on a picture, the most probable first.

    With maps: width and height of the picture, and the part that was looked at: left, top, right,
    bottom in its pixels. Of grey pictures: whether light and dark seem swapped.
    """

    name: str
    classes: list[Named]
    together: int
    seconds: Seconds
    size: NotRequired[tuple[int, int]]
    seen: NotRequired[tuple[float, float, float, float]]
    swapped: NotRequired[bool]


class Classified(TypedDict):
    """The answer of /v1/classify, in the order of the pictures."""

    model: str
    results: list[Picture]
    seconds: Spent


Thing = TypedDict("Thing", {"class": str, "score": float, "box": tuple[float, float, float, float]})
Thing.__doc__ = """An object: left, top, right, bottom in pixels of the upright picture."""


class Scene(TypedDict):
    """The objects of a picture, the surest first, and its width and height."""

    name: str
    size: tuple[int, int]
    objects: list[Thing]
    together: int
    seconds: Seconds


class Detected(TypedDict):
    """The answer of /v1/detect, in the order of the pictures."""

    model: str
    results: list[Scene]
    seconds: Spent


class Bounds(TypedDict):
    """The most bytes of a request, pixels of a picture, pictures of a request."""

    body: int
    pixels: int
    pictures: int


class Model(TypedDict):
    """What is served."""

    __pydantic_config__ = ConfigDict(protected_namespaces=())  # type: ignore[misc]

    kind: str
    name: str
    classes: list[str]
    maps: bool
    engine: str
    limits: Bounds
    shape: NotRequired[Triple]
    brightness: NotRequired[float]
    test_error: NotRequired[float | None]
    test_map: NotRequired[float | None]


class Trouble(TypedDict):
    """A refusal, as RFC 9457 says."""

    type: str
    title: str
    status: int
    detail: str

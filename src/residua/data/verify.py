"""Whether the files that a network is to be tested on can be read, before it is trained.

Every picture of such a part counts, so a file that cannot be read has to be found while nothing is
lost yet: a training that ends at it would have been for nothing.
"""

from pathlib import Path

from residua.data.decode import opened
from residua.data.fit import Fit
from residua.data.pictures import Unread, each, read
from residua.data.recognise import Layout, Part

# Of larger parts only the beginning of every file is looked at: ImageNet's 50,000 are decoded, and
# millions are not.
MOST_DECODED = 100_000
# Pixels of a side that pictures are decoded at: libjpeg then reads all of a file, and computes an
# eighth of its sides.
SIDE = 16


def readable(layout: Layout, part: Part, channels: int, fit: Fit) -> tuple[Part, list[Unread]]:
    """Leave out of a part the files that are no pictures.

    Of up to `MOST_DECODED` files all is decoded, by all cores, some milliseconds of a core each;
    of more only the headers are, and a file that is cut short is then found when it is tested.

    Args:
        layout: the set.
        part: of it.
        channels: that are wanted of a picture.
        fit: the part of a picture that is tested.

    Returns:
        The files that can be read, and which of the part cannot.
    """

    def attempt(path: Path) -> None:
        if len(part) <= MOST_DECODED:
            read(path, (channels, SIDE, SIDE), fit)
        else:
            with opened(path):
                pass

    found = each((layout.root / name for name in part.names), attempt)
    unread = [Unread(i, str(error)) for i, error in enumerate(found) if error is not None]
    left_out = {fault.index for fault in unread}
    kept = [index for index in range(len(part)) if index not in left_out]
    return Part([part.names[i] for i in kept], [part.labels[i] for i in kept]), unread

"""Which kind of file some bytes are, by how they begin.

Sources:
    [J] ITU-T T.81, annex B: in the data of a JPEG the bytes FF DA stand before each scan alone.
"""

from residua.deploy.serve.problems import RefusalError

BEGINNINGS = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "WebP": (b"RIFF",),
    "BMP": (b"BM",),
    "TIFF": (b"II*\x00", b"MM\x00*"),
}

# Run-length coded BMP is decoded in Python, pixel by pixel, whatever size it claims to have; so are
# kinds of PPM, which is not read here.
PACKED_BMP = (b"\x01\0\0\0", b"\x02\0\0\0")
OLD_BMP = b"\x0c\0\0\0"
# Pictures of cameras and of the web have about ten; each costs as much as a whole picture.
MOST_SCANS = 64


def check(name: str, content: bytes) -> None:
    """Refuse what is no picture, or one that is made to take long.

    Raises:
        RefusalError: it says why.
    """
    if not content:
        raise RefusalError(422, f"{name} is empty: send the bytes of a picture")
    kind = _kind(content)
    if kind is None:
        *most, last = BEGINNINGS
        raise RefusalError(
            415, f"{name} is not a picture of a kind that is read here ({', '.join(most)}, {last})"
        )
    if kind == "BMP" and content[14:18] != OLD_BMP and content[30:34] in PACKED_BMP:
        raise RefusalError(422, f"{name} is a packed BMP (save it as PNG)")
    if kind == "JPEG" and content.count(b"\xff\xda") > MOST_SCANS:
        raise RefusalError(
            422, f"{name} has more than {MOST_SCANS} scans (save it as a plain JPEG)"
        )


def _kind(content: bytes) -> str | None:
    for kind, beginnings in BEGINNINGS.items():
        if content.startswith(beginnings):
            return None if kind == "WebP" and content[8:12] != b"WEBP" else kind
    return None

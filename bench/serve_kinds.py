"""Requests as good clients send them, and as bad ones do: every kind once, by its name.

A request is bytes, and how they are sent: "all" at once, "drip" a letter at a time behind what is
given, or "leave" after them without waiting for an answer.
"""

import io
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

PLACE = "/v1/classify"


class Sent(NamedTuple):
    """A request, and how it is sent."""

    content: bytes
    way: str = "all"


def request(body, *lines, path=PLACE, method="POST", length=None, close=True):
    """Write a request of HTTP/1.1."""
    count = len(body) if length is None else length
    head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {count}", *lines]
    head += ["Connection: close"] if close else []
    return "".join(f"{line}\r\n" for line in [*head, ""]).encode() + body


def good(pictures):
    """One request for each file of a folder, on a connection that stays."""
    return [request(path.read_bytes(), close=False) for path in sorted(Path(pictures).iterdir())]


def _png(width, height, data):
    def chunk(kind, content):
        made = struct.pack(">I", len(content)) + kind + content
        return made + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(data, 9))
        + chunk(b"IEND", b"")
    )


def _tiff_bomb():
    from PIL import Image

    file = io.BytesIO()
    Image.new("1", (9000, 9000)).save(file, "TIFF", compression="group4")
    return file.getvalue()


def _form(name, content, boundary="B"):
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    body = f"--{boundary}\r\n{disposition}\r\n\r\n".encode() + content
    body += f"\r\n--{boundary}--\r\n".encode()
    return request(body, f"Content-Type: multipart/form-data; boundary={boundary}")


def hostile(picture):
    """Every kind of bad request, by its name.

    Args:
        picture: a good JPEG.
    """
    return {
        **_pictures(picture),
        **_sizes(picture),
        **_slow(picture),
        **_paths(picture),
        **_protocol(picture),
    }


def _pictures(picture):
    half = len(picture) // 2
    many = picture[:-2] + b"\xff\xda\x00\x01" * 2000 + b"\xff\xd9"
    kinds = {
        "truncated JPEG": picture[:half],
        "damaged JPEG": picture[:half] + bytes(500) + picture[half + 500 :],
        "beginning alone": b"\xff\xd8\xff",
        "empty": b"",
        "text": b"hello " * 100,
        "HTML": b"<script>alert(1)</script>",
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run",
        "PDF": b"%PDF-1.7\n" + bytes(2000),
        "ZIP": b"PK\x03\x04" + bytes(2000),
        "pickle": b"\x80\x04cos\nsystem\n(S'id'\ntR.",
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "bomb, claimed": _png(60_000, 60_000, bytes(1000)),
        "bomb, real": _png(30_000, 30_000, bytes(10_000_000)),
        "bomb, one line": _png(2_000_000_000, 1, bytes(1000)),
        "bomb, TIFF": _tiff_bomb(),
        "many scans": many,
        "no pixels": _png(0, 0, b""),
    }
    return {kind: Sent(request(content)) for kind, content in kinds.items()}


def _sizes(picture):
    chunked = f"POST {PLACE} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    piece = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    return {
        "huge, said": Sent(request(b"", length=10**12)),
        "huge, sent": Sent(request(b"\xff\xd8\xff" + bytes(21_000_000))),
        "huge, in chunks": Sent(chunked.encode() + piece * 21),
        "packed bomb": Sent(request(zlib.compress(bytes(10**7)), "Content-Encoding: deflate")),
        "many files": Sent(
            request(
                b"".join(
                    b'--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx\r\n'
                    for _ in range(2000)
                )
                + b"--B--\r\n",
                "Content-Type: multipart/form-data; boundary=B",
            )
        ),
    }


def _slow(picture):
    start = f"POST {PLACE} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
    whole = request(picture)
    return {
        "slow first lines": Sent(start.encode(), "drip"),
        "slow picture": Sent(whole[: len(whole) // 2], "drip"),
        "nothing": Sent(b"", "drip-nothing"),
        "leaves in the first lines": Sent(start.encode(), "leave"),
        "leaves in the picture": Sent(whole[: len(whole) // 2], "leave"),
        "leaves before the answer": Sent(whole, "leave"),
    }


def _paths(picture):
    names = {
        "name with ..": "../../../../etc/passwd",
        "name with a drive": r"C:\Windows\system32\config\SAM",
        "name with controls": "a\x01b\x7f\u202egpj.exe",
        "long name": "x" * 3000,
        "name as markup": "<img src=x onerror=alert(1)>",
    }
    paths = {
        "path with ..": "/page/../../../../etc/passwd",
        "path with %2e": "/page/%2e%2e%2f%2e%2e%2fetc/passwd",
        "path with zero": "/page/index.html%00",
        "path of bytes": "/%ff%fe%00",
        "long path": "/" + "a" * 9000,
        "wrong number": f"{PLACE}?top=-1",
        "no number": f"{PLACE}?top=1e99",
    }
    return {
        **{kind: Sent(_form(name, picture)) for kind, name in names.items()},
        **{kind: Sent(request(picture, path=path)) for kind, path in paths.items()},
    }


def _protocol(picture):
    first = f"POST {PLACE} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return {
        "TLS": Sent(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)),
        "garbage": Sent(bytes(range(256)) * 8 + b"\r\n\r\n"),
        "huge head": Sent(f"{first}X: {'a' * 200_000}\r\n\r\n".encode()),
        "two lengths": Sent(f"{first}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello".encode()),
        "length and chunks": Sent(
            f"{first}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET".encode()
        ),
        "negative length": Sent(f"{first}Content-Length: -1\r\n\r\n".encode()),
        "wrong method": Sent(request(picture, method="PUT")),
        "wrong place": Sent(request(picture, path="/v1/detect")),
        "wrong host": Sent(request(picture).replace(b"Host: 127.0.0.1", b"Host: evil.example", 1)),
        "no boundary": Sent(request(picture, "Content-Type: multipart/form-data")),
        "no end of form": Sent(
            request(
                b'--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + picture,
                "Content-Type: multipart/form-data; boundary=B",
            )
        ),
        "websocket": Sent(
            request(
                b"", "Upgrade: websocket", "Sec-WebSocket-Key: eA==", method="GET", path="/"
            ).replace(b"Connection: close", b"Connection: Upgrade", 1)
            + b"",
            "leave",
        ),
    }

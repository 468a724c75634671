"""The files of a form (multipart/form-data), from bytes that are in memory already.

Sources:
    [M] RFC 7578, Returning Values from Forms: multipart/form-data.
"""

from typing import Any, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from residua.deploy.serve.problems import RefusalError

KIND = "multipart/form-data"
# Other fields that a form may have beside its files; each costs time while all others wait.
FIELDS = 64


class File(NamedTuple):
    """A file as its sender named it, and its bytes."""

    name: str
    content: bytes


def is_form(content_type: str) -> bool:
    """Whether a request of this type is a form."""
    return content_type.partition(";")[0].strip().lower() == KIND


def files(content_type: str, body: bytes, most: int) -> list[File]:
    """Read the files of a form; its other fields are left out.

    Args:
        content_type: of the request, with the boundary.
        body: of the request.
        most: files that there may be.

    Raises:
        RefusalError: it is no form, it has no end, or it has too many files.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise RefusalError(400, "the form does not say what its parts are divided by (boundary)")
    parts = _Parts(most)
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise RefusalError(400, f"the form cannot be read: {str(error)[:200]}") from None
    if not parts.ended:
        raise RefusalError(400, "the form has no end: send all of it")
    return parts.files


class _Parts:
    """Collects what a parser comes upon."""

    def __init__(self, most: int) -> None:
        self.files: list[File] = []
        self.ended = False
        self._most = most
        self._begun = 0
        self._heading, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._name: str | None = None
        self._content: list[bytes] = []

    def callbacks(self) -> Any:
        """Name what is called when."""
        names = ("part_begin", "header_field", "header_value", "header_end", "headers_finished")
        names += ("part_data", "part_end", "end")
        return {f"on_{name}": getattr(self, f"_{name}") for name in names}

    def _part_begin(self) -> None:
        self._begun += 1
        if self._begun > self._most + FIELDS:
            raise RefusalError(413, f"a form may have {self._most + FIELDS} parts: send fewer")
        self._disposition, self._name = b"", None
        self._content.clear()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._heading += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._heading.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._heading, self._value = bytearray(), bytearray()

    def _headers_finished(self) -> None:
        found = parse_options_header(self._disposition)[1].get(b"filename")
        self._name = None if found is None else found.decode("utf-8", "replace")
        if self._name is not None and len(self.files) >= self._most:
            raise RefusalError(
                413, f"a request may have {self._most} pictures: send the others in another"
            )

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name is not None:
            self._content.append(data[start:end])

    def _part_end(self) -> None:
        if self._name is not None:
            self.files.append(File(self._name, b"".join(self._content)))

    def _end(self) -> None:
        self.ended = True

"""A bar for what is fetched, where a person looks at a terminal; nothing elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from residua.data.download import Progress, silent


@contextmanager
def shown(name: str) -> Iterator[Progress]:
    """Show how far the fetching of a file is, on standard error if that is a terminal.

    Args:
        name: of the file.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield silent
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bar(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(f"fetching {name}", total=None)

        def progress(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield progress

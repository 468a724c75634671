"""Runs given away and taken over through a model hub: settings, record and weights, nothing else.

What is pulled is read and never run: YAML, JSON, CSV, Markdown and safetensors. Checkpoints, which
are pickles, and pages, which a browser would run, are neither pushed nor pulled.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

from residua import events, files, runs
from residua.data.download import OFFLINE
from residua.deploy import predictor
from residua.deploy.hub_card import card
from residua.errors import CheckpointError, ConfigError, ResiduaError, RunError
from residua.extras import EXTRAS, require

CARD = "README.md"
NEEDED = (runs.CONFIG, events.FILE)
WEIGHTS = ("weights/best.safetensors", "weights/last.safetensors")
# Whole names: in a pattern of the hub, a star would also stand for folders.
FILES = (*NEEDED, events.EVALUATIONS, "results.csv", *WEIGHTS, CARD)

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", flags=re.ASCII)
TOKEN = re.compile(r"hf_\w+", flags=re.ASCII)


class Hub(Protocol):
    """What is needed of `huggingface_hub.HfApi`."""

    def create_repo(self, repo_id: str, *, private: bool, exist_ok: bool) -> str:
        """Make a repository, and return its address."""
        ...

    def upload_folder(
        self,
        *,
        repo_id: str,
        folder_path: str,
        allow_patterns: list[str],
        delete_patterns: list[str],
        commit_message: str,
    ) -> object:
        """Put the files of a folder into a repository, and take others out of it."""
        ...

    def snapshot_download(
        self, repo_id: str, *, revision: str | None, local_dir: str, allow_patterns: list[str]
    ) -> str:
        """Put the files of a repository into a folder, and return its name."""
        ...


def push(
    folder: str | Path, repository: str, *, public: bool = False, hub: Hub | None = None
) -> str:
    """Give a run away: settings, record, weights and a card.

    Whoever pushes is known to huggingface_hub (HF_TOKEN, or `hf auth login`), not to us.

    Args:
        folder: of the run.
        repository: OWNER/NAME; it is made if there is none, and its files of these names replaced.
        public: whether all may see it, if it is made now.
        hub: where to; by default the Hugging Face Hub.

    Returns:
        The address of the repository.

    Raises:
        CheckpointError: the run has no weights that can be loaded.
        ConfigError: the name is none, huggingface_hub is missing, or no record can rebuild the net.
        RunError: the hub did not take it.
    """
    _check_name(repository)
    folder = Path(folder)
    predictor.load(folder)
    text = card(folder, repository)
    with tempfile.TemporaryDirectory() as made:
        for name in held(folder):
            target = Path(made) / name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(folder / name, target)
        (Path(made) / CARD).write_text(text, encoding="utf-8")
        where = hub or _hugging_face()
        with _explained(f"push to {repository}"):
            address = where.create_repo(repository, private=not public, exist_ok=True)
            where.upload_folder(
                repo_id=repository,
                folder_path=made,
                allow_patterns=list(FILES),
                delete_patterns=list(FILES),
                commit_message=f"Run {folder.parent.name}/{folder.name}",
            )
    return str(address)


def held(folder: Path) -> list[str]:
    """List which files of a run are given away, by their names in its folder."""
    return [name for name in FILES if name != CARD and (folder / name).is_file()]


def pull(
    repository: str, to: str | Path, *, revision: str | None = None, hub: Hub | None = None
) -> predictor.Predictor:
    """Take a run over: afterwards it is one like any other, but for checkpoints and page.

    Args:
        repository: OWNER/NAME.
        to: the folder that it shall become; there must be none yet.
        revision: branch, tag or commit; by default the newest.
        hub: where from; by default the Hugging Face Hub.

    Returns:
        The run, ready to be asked.

    Raises:
        CheckpointError: what is there is no run that can be used; no folder is made then.
        ConfigError: the name is none, there is such a folder, or huggingface_hub is missing.
        RunError: the hub did not give it, or the folder cannot be written.
    """
    _check_name(repository)
    to = Path(to)
    if to.exists():
        raise ConfigError(f"{to} is there, and runs are never overwritten: name another folder")
    where = hub or _hugging_face()
    with files.explained(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        fetched = tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.")
    with fetched as staging:
        given, made = Path(staging) / "given", Path(staging) / "run"
        with _explained(f"pull {repository}"):
            where.snapshot_download(
                repository, revision=revision, local_dir=str(given), allow_patterns=list(FILES)
            )
        with files.explained(to):
            _sift(given, made)
        _check(made, repository)
        with files.explained(to):
            made.rename(to)
    return predictor.load(to)


def _sift(given: Path, made: Path) -> None:
    """Move what belongs to a run, and nothing but files, to a folder of its own."""
    for name in FILES:
        source, target = given / name, made / name
        if source.is_file() and not source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)


def _check(made: Path, repository: str) -> None:
    """Refuse what is no run, or one that cannot be asked.

    Raises:
        CheckpointError: it is so.
    """
    missing = [name for name in NEEDED if not (made / name).is_file()]
    if missing:
        raise CheckpointError(f"{repository} holds no run of Residua: it has no {missing[0]}")
    try:
        found = predictor.load(made)
    except ResiduaError as error:
        reason = str(error).replace(str(made), repository)
        raise CheckpointError(f"{repository} holds a run that cannot be used: {reason}") from error
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise CheckpointError(f"{repository} holds a damaged record: {error!r}") from error
    if not _printable(found.classes):
        raise CheckpointError(
            f"{repository} has names of classes that are no text, and is not kept"
        )


def _printable(names: Sequence[object]) -> bool:
    """Say whether names are text that a terminal can be shown."""
    return all(isinstance(name, str) and name.isprintable() for name in names)


def _check_name(repository: str) -> None:
    if not REPOSITORY.fullmatch(repository):
        raise ConfigError(f"{repository} is no name of a repository: it must be OWNER/NAME")


def _hugging_face() -> Hub:
    if os.environ.get(OFFLINE):
        raise ConfigError(f"{OFFLINE} forbids to reach a hub: unset it")
    require("a hub", EXTRAS["hub"])
    from huggingface_hub import HfApi

    return cast(Hub, HfApi(library_name="residua"))


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn whatever a hub raises into a sentence, without tokens.

    Raises:
        RunError: it raised something.
    """
    try:
        yield
    except Exception as error:
        lines = TOKEN.sub("hf_...", str(error)).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise RunError(
            f"cannot {what}: {reason} (`hf auth login`, or HF_TOKEN, says who you are)"
        ) from None

"""Whisper's weights from the model hub: the last resort, and quick to give up where there is no network."""

from logging import ERROR, getLogger
from pathlib import Path
from threading import Thread

from huggingface_hub import constants

from biblio.adapters.speech.whisper_names import REPOSITORIES
from biblio.errors import Misconfigured, Unavailable

PATIENCE = 1.5
"""Seconds the hub has to answer at all."""
_FILES = ["config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*"]


def download(name: str) -> Path:
    """The folder in the hub's cache that now holds the model.

    Raises `Misconfigured` MODEL_NOT_FOUND where the hub does not answer, `Unavailable` where the download breaks off.
    """
    if not _answers():
        raise Misconfigured(
            f"The speech model '{name}' is not on this machine and the model hub cannot be reached. Put the files of "
            f"{REPOSITORIES[name]} into a folder and name it: BIBLIO_SPEECH=whisper://{name}?folder=/path/to/it.",
            code="MODEL_NOT_FOUND",
        )
    # Only here: the hub's library takes a second to load, and a machine that has its weights never needs it.
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    getLogger("huggingface_hub").setLevel(ERROR)
    try:
        return Path(snapshot_download(REPOSITORIES[name], allow_patterns=_FILES))
    except (httpx2.HTTPError, OSError) as error:
        sentence = f"The speech model '{name}' could not be downloaded: {error}"
        raise Unavailable(sentence, code="MODEL_DOWNLOAD_FAILED") from error


def _answers() -> bool:
    """Whether the hub says anything. The library retries for minutes, and looking up a name has no time limit."""
    if constants.HF_HUB_OFFLINE:
        return False
    heard: list[bool] = []
    asking = Thread(target=_ask, args=(heard,), daemon=True)
    asking.start()
    asking.join(PATIENCE)
    return bool(heard)


def _ask(heard: list[bool]) -> None:
    import httpx2  # A third of a second, for nothing on a machine that has its weights.

    try:
        httpx2.head(constants.ENDPOINT, timeout=PATIENCE)
    except (httpx2.HTTPError, OSError):
        return
    heard.append(True)

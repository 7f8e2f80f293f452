"""What `biblio demo` shows, and whether it was right."""

from functools import partial

from biblio.client import Client
from biblio.client.models import SearchAnswer
from biblio.entrypoints.cli.batch import Batch
from biblio.entrypoints.cli.output import clock, console, note, one_line
from biblio.entrypoints.cli.report import open_report
from biblio.local.sample import QUESTIONS, TALK, TITLE, Question

LINES = 5
EARLY = 25.0
"""Seconds a moment may begin before its answer: it begins with the passage when no words are shared."""


def show(library: Client) -> bool:
    """Ingest the sample, print its first lines and a moment for a question in each language. Whether all was found."""
    with library as client:
        video_id = _ingest(client)
        if video_id is None:
            return False
        _show_transcript(client, video_id)
        first = {question.language: question for question in reversed(QUESTIONS)}
        right = [_ask(client, first[language]) for language in ("ko", "en")]  # a list: both are asked
        return all(right)


def _ingest(client: Client) -> str | None:
    with open_report(as_json=False) as report:
        batch = Batch(client, partial(client.upload, title=TITLE), report, lambda _outcome: None, wait=True)
        batch.run([str(TALK)])
    return batch.outcomes[0].video_id if batch.outcomes[0].error is None else None


def _show_transcript(client: Client, video_id: str) -> None:
    screen = console()
    screen.print(f"\n{TITLE}", style="bold")
    for line in client.transcript(video_id, format="txt").splitlines()[:LINES]:
        screen.print(f"  {one_line(line)}", soft_wrap=True)


def _ask(client: Client, question: Question) -> bool:
    answer = client.search(question.text, limit=1)
    screen = console()
    screen.print(f"\n? {question.text}", style="bold")
    right = _is_right(answer, question)
    for found in answer["results"][:1]:
        moment = found["moments"][0]
        screen.print(f"  {clock(moment['start_time'])}  {one_line(moment['text'])}", soft_wrap=True)
    if not right:
        note(f"It was expected at {clock(question.start)}.")
    return right


def _is_right(answer: SearchAnswer, question: Question) -> bool:
    """The best moment holds the answer, and begins not long before it."""
    if not answer["results"]:
        return False
    moment = answer["results"][0]["moments"][0]
    begins = question.start - EARLY <= moment["start_time"] <= question.end
    return begins and moment["end_time"] >= question.start

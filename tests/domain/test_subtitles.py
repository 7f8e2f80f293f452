from biblio.domain.subtitles import srt, txt, vtt
from biblio.domain.transcript import Sentence

SAID = [Sentence("안녕하세요", 0.0, 1.5), Sentence("a < b && c --> d", 59.9996, 36_000.25)]


def test_subrip_counts_from_one_and_writes_a_comma() -> None:
    assert srt(SAID) == (
        "1\n00:00:00,000 --> 00:00:01,500\n안녕하세요\n\n2\n00:01:00,000 --> 10:00:00,250\na < b && c --> d\n"
    )


def test_webvtt_has_its_header_and_what_is_said_stays_words() -> None:
    assert vtt(SAID) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n안녕하세요\n\n"
        "00:01:00.000 --> 10:00:00.250\na &lt; b &amp;&amp; c --&gt; d\n"
    )


def test_plain_text_is_one_sentence_a_line() -> None:
    assert txt(SAID) == "안녕하세요\na < b && c --> d\n"


def test_nothing_said_is_an_empty_file() -> None:
    assert (srt([]), vtt([]), txt([])) == ("", "WEBVTT\n", "")

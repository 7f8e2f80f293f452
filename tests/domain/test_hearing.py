"""Who heard which part of a sound."""

from biblio.domain.hearing import HeardBy, Share, seconds_by, shares_of
from biblio.domain.transcript import Transcript

ONE, OTHER = HeardBy("google", "chirp_2"), HeardBy("faster-whisper", "base")


def test_pieces_in_a_row_of_one_engine_are_one_share_and_the_last_ends_with_the_sound() -> None:
    pieces = [(10.0, ONE), (20.0, ONE), (25.0, OTHER), (29.99, ONE)]
    assert shares_of(pieces, 30.0) == (Share(0.0, 20.0, 2, ONE), Share(20.0, 25.0, 1, OTHER), Share(25.0, 30.0, 1, ONE))
    assert shares_of([], 30.0) == ()


def test_what_each_heard_adds_up_to_the_whole_and_who_heard_most_comes_first() -> None:
    shares = shares_of([(5.0, OTHER), (20.0, ONE), (30.0, OTHER), (33.0, ONE)], 33.0)
    assert list(seconds_by(shares).items()) == [(ONE, 18.0), (OTHER, 15.0)]
    assert sum(seconds_by(shares).values()) == 33.0


def test_a_transcript_keeps_the_shares_and_one_of_before_has_none() -> None:
    shares = shares_of([(5.0, OTHER), (20.0, ONE)], 20.0)
    transcript = Transcript("ko", 20.0, (), "google", "chirp_2", shares)
    kept = transcript.as_json()
    assert Transcript.from_json(kept) == transcript
    del kept["shares"]
    assert Transcript.from_json(kept).shares == ()

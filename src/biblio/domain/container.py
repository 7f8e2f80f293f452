"""The first bytes of the containers that are taken."""

ADTS_OR_MP3 = 0xE0
"""The first eleven bits of an MPEG audio frame are set; these are the last three of them."""


def looks_like(first: bytes) -> bool:
    """Whether a file that begins with these bytes (at least 16, where it has them) may be a video or sound.

    Only a first look, to tell a wrong file at once: FFmpeg has the last word.
    """
    return _iso(first) or _riff(first) or _matroska(first) or first.startswith(b"fLaC") or _mp3(first)


def _iso(first: bytes) -> bool:
    """MP4, MOV, M4V, M4A: a box of one of these kinds comes first."""
    return first[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"uuid")


def _riff(first: bytes) -> bool:
    return first[:4] in (b"RIFF", b"RF64") and first[8:12] in (b"AVI ", b"AVIX", b"WAVE")


def _matroska(first: bytes) -> bool:
    """MKV, WebM: the EBML header."""
    return first.startswith(b"\x1a\x45\xdf\xa3")


def _mp3(first: bytes) -> bool:
    if first.startswith(b"ID3"):
        return True
    return len(first) > 2 and first[0] == 0xFF and first[1] & ADTS_OR_MP3 == ADTS_OR_MP3

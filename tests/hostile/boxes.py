"""Containers put together by hand, so that they can say what no honest program would write."""

import struct


def box(kind: str, *parts: bytes, size: int | None = None) -> bytes:
    """A box of MP4 and QuickTime; `size` where it shall lie."""
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8 if size is None else size, kind.encode("latin-1")) + body


def full(kind: str, *parts: bytes, version: int = 0) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]), *parts)


def u32(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


FTYP = box("ftyp", b"isom", u32(512), b"isomiso2mp41")
MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
SOUND_RATE = 8000


def sound_entry(kind: str = "sowt", *, channels: int = 1, rate: int = SOUND_RATE) -> bytes:
    return box(kind, bytes(6), struct.pack(">H8xHHIHH", 1, channels, 16, 0, rate & 0xFFFF, 0))


def picture_entry(kind: str, width: int, height: int) -> bytes:
    size = struct.pack(">HH", width, height)
    rest = (u32(0x480000, 0x480000, 0), b"\0\1", bytes(32), b"\0\x18\xff\xff")
    return box(kind, bytes(6), b"\0\1", bytes(16), size, *rest)


def track(
    handler: bytes,
    entry: bytes,
    *,
    samples: int,
    sample_size: int,
    offset: int,
    delta: int = 1,
    dref: bytes = b"",
    edits: bytes = b"",
    number: int = 1,
) -> bytes:
    """`samples` pieces of `sample_size` bytes, one after the other from `offset` on."""
    head = full("vmhd", bytes(8)) if handler == b"vide" else full("smhd", bytes(4))
    reference = dref or full("url ", b"")
    stbl = box(
        "stbl",
        full("stsd", u32(1), entry),
        full("stts", u32(1, samples, delta)),
        full("stsc", u32(1, 1, samples, 1)),
        full("stsz", u32(sample_size, samples)),
        full("stco", u32(1, offset)),
    )
    minf = box("minf", head, box("dinf", full("dref", u32(1), reference)), stbl)
    mdhd = full("mdhd", u32(0, 0, SOUND_RATE, samples * delta % 2**32), b"\x55\xc4\0\0")
    mdia = box("mdia", mdhd, full("hdlr", u32(0), handler, bytes(12), b"\0"), minf)
    tkhd = full("tkhd", u32(0, 0, number, 0, samples), bytes(16), MATRIX, u32(0, 0))
    return box("trak", tkhd, box("edts", full("elst", edits)) if edits else b"", mdia)


def movie(*tracks: bytes, data: bytes = b"", extra: bytes = b"", duration: int = SOUND_RATE) -> bytes:
    """The bytes of the samples come first: they begin at byte `DATA`."""
    mvhd = full("mvhd", u32(0, 0, SOUND_RATE, duration, 0x10000), b"\1\0", bytes(10), MATRIX, bytes(24), u32(99))
    return FTYP + box("mdat", data) + box("moov", mvhd, *tracks, extra)


DATA = len(FTYP) + 8
TONE = b"".join(struct.pack("<h", 8000 if at // 9 % 2 else -8000) for at in range(SOUND_RATE))


def tone_track(**more: bytes | int) -> bytes:
    """A second of a square wave."""
    given = {"samples": SOUND_RATE, "sample_size": 2, "offset": DATA, **more}
    return track(b"soun", sound_entry(), **given)  # type: ignore[arg-type]


def ebml(number: int, *parts: bytes, size: int | None = None) -> bytes:
    """An element of Matroska; `size` where it shall lie."""
    body = b"".join(parts)
    length = len(body) if size is None else size
    return number.to_bytes((number.bit_length() + 7) // 8, "big") + ((1 << 56) | length).to_bytes(8, "big") + body


def number(identity: int, value: int) -> bytes:
    return ebml(identity, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


EBML_HEAD = ebml(0x1A45DFA3, ebml(0x4282, b"matroska"), number(0x4287, 4), number(0x4285, 2))
PCM = ebml(0x86, b"A_PCM/INT/LIT")


def matroska(*parts: bytes, info: bytes = b"", tracks: bytes = b"", cluster: bytes | None = None) -> bytes:
    """One second of a square wave as track 1, unless told otherwise."""
    head = ebml(0x1549A966, number(0x2AD7B1, 1_000_000), ebml(0x4D80, b"x"), ebml(0x5741, b"x"), info)
    listed = ebml(0x1654AE6B, tracks or sound_track())
    sound = ebml(0x1F43B675, number(0xE7, 0), block(TONE)) if cluster is None else cluster
    return EBML_HEAD + ebml(0x18538067, head, listed, *parts, sound)


def sound_track(*more: bytes, at: int = 1, codec: bytes = PCM) -> bytes:
    form = ebml(0xE1, ebml(0xB5, struct.pack(">d", SOUND_RATE)), number(0x9F, 1), number(0x6264, 16))
    return ebml(0xAE, number(0xD7, at), number(0x73C5, at), number(0x83, 2), codec, form, *more)


def block(data: bytes, *, at: int = 1, time: int = 0) -> bytes:
    return ebml(0xA3, bytes([0x80 | at]), struct.pack(">hB", time, 0x80), data)


def riff(kind: bytes, *parts: bytes, size: int | None = None) -> bytes:
    body = b"".join(parts)
    return b"RIFF" + struct.pack("<I", (len(body) + 4 if size is None else size) & 0xFFFFFFFF) + kind + body


def chunk(kind: bytes, *parts: bytes, size: int | None = None) -> bytes:
    body = b"".join(parts)
    return kind + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def wave(channels: int, rate: int, data: bytes = TONE, *, size: int | None = None) -> bytes:
    align = channels * 2
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * align & 0xFFFFFFFF, align & 0xFFFF, 16)
    return riff(b"WAVE", chunk(b"fmt ", form), chunk(b"data", data, size=size), size=size)

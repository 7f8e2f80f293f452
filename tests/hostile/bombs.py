"""Small files that ask for much: memory, time, tracks, pixels, channels. Each ends with a verdict, soon."""

import struct
import zlib
from functools import cache
from itertools import repeat

from tests.hostile.boxes import (
    DATA,
    FTYP,
    SOUND_RATE,
    TONE,
    block,
    box,
    chunk,
    ebml,
    full,
    matroska,
    movie,
    number,
    picture_entry,
    riff,
    sound_track,
    tone_track,
    track,
    u32,
    wave,
)

HUNDRED_HOURS = 360_000
BEHIND_TONE = DATA + len(TONE)
PCM_FORM = chunk(b"strf", struct.pack("<HHIIHH", 1, 1, 8000, 16_000, 2, 16))


def bombs() -> dict[str, bytes]:
    files = {**_tracks(), **_pictures(), **_lengths(), **_forms(), **_structures()}
    return {**files, **_compressed(), **_texts(), **_endless()}


def _tracks() -> dict[str, bytes]:
    films = {}
    for count in (101, 1000, 10_000):
        tracks = b"".join(tone_track(number=at) for at in range(1, count + 1))
        films[f"mp4-{count}-tracks"] = movie(tracks, data=TONE)
    many = b"".join(sound_track(at=at) for at in range(1, 1001))
    films["matroska-1000-tracks"] = matroska(tracks=many)
    stream = chunk(b"LIST", b"strl", chunk(b"strh", b"auds" + bytes(52)), PCM_FORM)
    films["avi-5000-streams"] = riff(b"AVI ", chunk(b"LIST", b"hdrl", chunk(b"avih", bytes(56)), stream * 5000))
    return films


def _pictures() -> dict[str, bytes]:
    films = {}
    for kind, edge in (("png ", 16_000), ("png ", 65_535), ("jpeg", 65_535), ("raw ", 65_535), ("avc1", 32_768)):
        png = _png(edge) if kind == "png " else bytes(200)
        picture = track(
            b"vide", picture_entry(kind, edge, edge), samples=1, sample_size=len(png), offset=BEHIND_TONE, number=2
        )
        films[f"mp4-{kind.strip()}-{edge}"] = movie(tone_track(), picture, data=TONE + png)
    form = ebml(0xE0, number(0xB0, 65_535), number(0xBA, 65_535))
    picture = ebml(0xAE, number(0xD7, 2), number(0x73C5, 2), number(0x83, 1), ebml(0x86, b"V_MJPEG"), form)
    films["matroska-65535-pixels"] = matroska(tracks=sound_track() + picture)
    films["flac-with-a-cover-of-65535-pixels"] = _flac(SOUND_RATE, _cover(_png(65_535)))
    return films


def _lengths() -> dict[str, bytes]:
    far = b"".join(ebml(0x1F43B675, number(0xE7, at * 1000), block(TONE)) for at in (0, HUNDRED_HOURS))
    half = b"".join(ebml(0x1F43B675, number(0xE7, at * 1000), block(TONE)) for at in (0, 40_000))
    late = u32(2, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x10000, 8000, 0, 0x10000)
    again = u32(50_000) + u32(8000, 0, 0x10000) * 50_000
    return {
        "flac-hours-of-silence": _flac(HUNDRED_HOURS * 16_000, frames=2000),
        "flac-silence-without-a-length": _flac(0, frames=2000),
        "flac-claims-100-hours": _flac(HUNDRED_HOURS * 16_000),
        "wave-claims-4-gigabytes": wave(1, SOUND_RATE, size=0xFFFF_FFF0),
        "wave-claims-nothing": wave(1, SOUND_RATE, size=0),
        "rf64-claims-everything": b"RF64\xff\xff\xff\xffWAVE" + chunk(b"ds64", b"\xff" * 28) + wave(1, SOUND_RATE)[12:],
        "mp4-claims-100-hours": movie(tone_track(), data=TONE, duration=HUNDRED_HOURS * SOUND_RATE % 2**32),
        "mp4-one-sample-lasts-for-ever": movie(tone_track(delta=0x7FFF_FFFF), data=TONE),
        "mp4-begins-after-years": movie(tone_track(edits=late), data=TONE),
        "mp4-plays-one-second-for-ever": movie(tone_track(edits=again), data=TONE),
        "matroska-gap-of-100-hours": matroska(cluster=far),
        "matroska-gap-of-11-hours": matroska(cluster=half),
        "matroska-lasts-nan": matroska(info=ebml(0x4489, struct.pack(">d", float("nan")))),
        "matroska-lasts-for-ever": matroska(info=ebml(0x4489, struct.pack(">d", float("inf")))),
        "matroska-of-picoseconds": matroska(info=number(0x2AD7B1, 2**60)),
    }


def _forms() -> dict[str, bytes]:
    forms = [(64, 48_000), (1000, 8000), (65_535, 8000), (2, 768_000), (1, 0xFFFF_FFFF), (0, 8000), (1, 0), (1, 1)]
    films = {f"wave-{channels}-channels-{rate}-hertz": wave(channels, rate, TONE * 20) for channels, rate in forms}
    wide = ebml(0xE1, ebml(0xB5, struct.pack(">d", 1e300)), number(0x9F, 2**31), number(0x6264, 2**31))
    films["matroska-of-all-channels"] = matroska(tracks=sound_track(wide))
    return films


def _structures() -> dict[str, bytes]:
    nested = b""
    for _ in range(2000):
        nested = box("moov", nested)
    deep = b""
    for _ in range(2000):
        deep = ebml(0xB6, deep)
    kinds = ("stts", "stsc", "stco", "co64", "ctts", "stss")
    counts = {kind: box("stbl", full(kind, u32(0xFFFF_FFFF))) for kind in kinds}
    counts["stsz"] = box("stbl", full("stsz", u32(0, 0xFFFF_FFFF)))
    counts["stsd"] = box("stbl", full("stsd", u32(0xFFFF_FFFF), b"\0" * 9999))
    mvhd = full("mvhd", bytes(96))
    traks = {name: box("trak", box("mdia", box("minf", table))) for name, table in counts.items()}
    seek = ebml(0x4DBB, ebml(0x53AB, b"\x11\x4d\x9b\x74"), number(0x53AC, 0))
    return {
        **{f"mp4-countless-{name}": FTYP + box("moov", mvhd, trak) for name, trak in traks.items()},
        "mp4-all-samples": movie(track(b"soun", b"", samples=0x7FFF_FFFF, sample_size=1, offset=0), data=TONE),
        "mp4-many-samples": movie(tone_track(samples=50_000_000), data=TONE),
        "mp4-nested": FTYP + nested,
        "mp4-boxes-of-no-size": FTYP + box("moov", box("trak", size=1) * 9999),
        "mp4-box-of-all-bytes": FTYP + struct.pack(">I4sQ", 1, b"moov", 2**63 - 1) + bytes(999),
        "mp4-a-million-boxes": FTYP + box("moov", box("free") * 1_000_000),
        "mp4-a-million-fragments": FTYP + box("moov", mvhd, tone_track()) + box("moof") * 300_000,
        "matroska-nested-chapters": matroska(ebml(0x1043A770, ebml(0x45B9, deep))),
        "matroska-void-of-all-bytes": matroska(ebml(0xEC, size=2**56 - 2)),
        "matroska-seek-to-itself": matroska(ebml(0x114D9B74, seek * 9999)),
        "avi-index-of-itself": _avi_with_index(),
    }


def _compressed() -> dict[str, bytes]:
    squeezed = zlib.compress(bytes(50_000_000), 9)
    by_zlib = ebml(0x5034, number(0x4254, 0))
    coding = ebml(0x6D80, ebml(0x6240, number(0x5031, 0), number(0x5032, 1), number(0x5033, 0), by_zlib))
    cluster = b"".join(ebml(0x1F43B675, number(0xE7, at), block(squeezed)) for at in range(40))
    cmov = box("cmov", box("dcom", b"zlib"), box("cmvd", u32(0x7FFF_FFFF), squeezed))
    film = matroska(tracks=sound_track(coding), cluster=cluster)
    return {"matroska-zlib": film, "mp4-zlib": FTYP + box("moov", cmov)}


def _texts() -> dict[str, bytes]:
    tag = b"".join(full("\xa9nam", b"x" * 1000) for _ in range(20_000))
    chapters = b"".join(
        ebml(0xB6, number(0x73C4, at), number(0x91, at), ebml(0x80, ebml(0x85, b"x" * 100))) for at in range(1, 50_001)
    )
    title = ebml(0x1254C367, ebml(0x7373, ebml(0x67C8, ebml(0x45A3, b"TITLE"), ebml(0x4487, b"x\n" * 5_000_000))))
    comment = b"\0\0\0\0" + struct.pack("<I", 0xFFFF_FFFF)
    return {
        "mp4-20-megabytes-of-tags": movie(tone_track(), data=TONE, extra=box("udta", tag)),
        "matroska-50000-chapters": matroska(ebml(0x1043A770, ebml(0x45B9, chapters))),
        "matroska-title-of-10-megabytes": matroska(title),
        "flac-countless-comments": _flac(SOUND_RATE, bytes([4]) + len(comment).to_bytes(3, "big") + comment),
        "mp3-tag-of-256-megabytes": b"ID3\4\0\0\x7f\x7f\x7f\x7f" + b"TIT2\x7f\x7f\x7f\x7f\0\0\0" + b"x" * 100_000,
    }


def _endless() -> dict[str, bytes]:
    packet = b"\x47\x40\0\x10" + bytes(184)
    frame = b"\xff\xfb\x10\xc4" + bytes(68)
    return {
        "ts-endless": packet * 50_000,
        "mp3-of-empty-frames": frame * 100_000,
        "mp3-that-never-begins": b"\xff\xe0" * 5_000_000,
        "zeros": bytes(20_000_000),
        "matroska-of-empty-clusters": matroska(cluster=ebml(0x1F43B675) * 500_000),
        "ogg-pages": (b"OggS\0\0" + bytes(20) + b"\1\0") * 100_000,
    }


@cache
def _png(edge: int) -> bytes:
    """A black picture: all of its lines are the same, and squeeze to nothing."""
    head = b"IHDR" + struct.pack(">IIBBBBB", edge, edge, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(1)
    data = b"IDAT" + b"".join(packer.compress(line) for line in repeat(bytes(edge // 8 + 1), edge)) + packer.flush()
    parts = (u32(len(part) - 4) + part + u32(zlib.crc32(part)) for part in (head, data, b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _cover(picture: bytes) -> bytes:
    body = u32(3, 9) + b"image/png" + u32(0, 65_535, 65_535, 24, 0, len(picture)) + picture
    return bytes([6]) + len(body).to_bytes(3, "big") + body


def _flac(samples: int, *blocks: bytes, frames: int = 0, rate: int = 16_000) -> bytes:
    """`samples`: how many it claims; `frames`: how many it has, each of 65,536 silent samples in 14 bytes."""
    form = (rate << 44 | 15 << 36 | samples & (1 << 36) - 1).to_bytes(8, "big")
    info = struct.pack(">HH", 65_535, 65_535) + bytes(6) + form + bytes(16)
    bodies = b"".join(_flac_frame(at) for at in range(frames))
    kinds = [bytes([0 if blocks else 0x80]) + len(info).to_bytes(3, "big") + info, *blocks]
    if blocks:
        kinds[-1] = bytes([kinds[-1][0] | 0x80]) + kinds[-1][1:]
    return b"fLaC" + b"".join(kinds) + bodies


def _flac_frame(at: int) -> bytes:
    # Fixed block size, 65,535 samples stated in the frame, 16 kHz, mono, 16 bits; a constant subframe of zero.
    head = b"\xff\xf8\x75\x08" + chr(at).encode("utf-8", "surrogatepass") + b"\xff\xfe"
    frame = head + bytes([_crc(head, 8, 0x07)]) + b"\0\0\0"
    return frame + _crc(frame, 16, 0x8005).to_bytes(2, "big")


def _crc(data: bytes, width: int, polynomial: int) -> int:
    value, top = 0, 1 << (width - 1)
    for byte in data:
        value ^= byte << (width - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & (1 << width) - 1
    return value


def _avi_with_index() -> bytes:
    entry = struct.pack("<QII", 12, 0xFFFF_FFFF, 0xFFFF_FFFF)
    index = chunk(b"indx", struct.pack("<HBBI4s12x", 4, 0, 0, 500, b"00wb"), entry * 500)
    head = chunk(b"strh", b"auds" + bytes(16) + struct.pack("<IIII", 1, 8000, 0, 0xFFFF_FFFF) + bytes(20))
    listed = chunk(b"LIST", b"hdrl", chunk(b"avih", bytes(56)), chunk(b"LIST", b"strl", head, PCM_FORM, index))
    return riff(b"AVI ", listed, chunk(b"LIST", b"movi", chunk(b"00wb", TONE)))

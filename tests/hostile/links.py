"""Files that name other files and addresses, in every way a media file can. None may be followed."""

import zlib
from pathlib import Path

from tests.hostile.boxes import (
    FTYP,
    TONE,
    block,
    box,
    chunk,
    ebml,
    full,
    matroska,
    movie,
    number,
    riff,
    sound_track,
    tone_track,
    u32,
    wave,
)

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n"


def links(film: Path, url: str) -> dict[str, bytes]:
    """Name → bytes. `film`: a film that must not be opened; `url`: an address that must not be called."""
    texts = {**_play_lists(film, url), **_scripts(film, url)}
    return {**{name: text.encode() for name, text in texts.items()}, **_disguised(film, url), **_containers(film, url)}


def with_sound(film: Path, url: str) -> dict[str, bytes]:
    """Films with bytes of their own, a second of sound at most, that name another film beside or instead of them."""
    name = str(film).encode()
    text = (ebml(0x4660, b"text/plain"), ebml(0x465C, b"x"), number(0x46AE, 1))
    attached = ebml(0x61A7, ebml(0x466E, b"../../" + name), *text)
    linked = ebml(0x3CB923, bytes(16)) + ebml(0x3EB923, bytes(16)) + ebml(0x3E83BB, name) + ebml(0x7384, name)
    elsewhere = {
        "alias": _alias(film),
        "url-file": full("url ", f"file://{film}\0".encode()),
        "url-http": full("url ", f"{url}\0".encode()),
        "name": full("urn ", f"{film}\0{film}\0".encode()),
    }
    chapter = ebml(0xB6, number(0x73C4, 1), number(0x91, 0), ebml(0x6E67, bytes(range(16))))
    return {
        **{f"mov-dref-{name}": movie(tone_track(dref=dref)) for name, dref in elsewhere.items()},
        "matroska-attachment-with-a-path": matroska(ebml(0x1941A469, attached)),
        "matroska-linked-segments": matroska(ebml(0x1043A770, ebml(0x45B9, chapter)), info=linked),
        "wave-list": wave(1, 8000, b"", size=0) + chunk(b"LIST", b"wavl", str(film).encode()),
        "mov-second-track-elsewhere": movie(tone_track(), tone_track(dref=_alias(film), number=2), data=TONE),
    }


def _play_lists(film: Path, url: str) -> dict[str, str]:
    segments = {"file": str(film), "scheme": f"file://{film}", "relative": film.name, "http": url}
    segments |= {"data": "data:audio/wav;base64,UklGRg==", "crypto": f"crypto:{film}"}
    segments |= {"concat": f"concat:{film}|{film}", "subfile": f"subfile,,start,0,end,0,,:{film}"}
    segments |= {"async": f"async:{url}", "cache": f"cache:{film}"}
    lists = {f"hls-{name}": f"{HLS}#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n" for name, target in segments.items()}
    key = f'{HLS}#EXT-X-KEY:METHOD=AES-128,URI="%s"\n#EXTINF:9,\n{film}\n#EXT-X-ENDLIST\n'
    concats = {f"ffconcat-{name}": f"ffconcat version 1.0\nfile '{target}'\n" for name, target in segments.items()}
    return {
        **lists,
        **concats,
        "hls-key-file": key % film,
        "hls-key-http": key % url,
        "hls-map": f'{HLS}#EXT-X-MAP:URI="{film}"\n#EXTINF:9,\n{film}\n',
        "hls-master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{url}\n",
        "hls-media": f'#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="{film}"\n',
        "hls-endless": f"{HLS}#EXTINF:9,\n{url}\n",
        "ffconcat-option": f"ffconcat version 1.0\nfile '{film}'\noption protocol_whitelist file,http,tcp\n",
        "ffconcat-unsafe": f"ffconcat version 1.0\nstream\nexact_stream_id 0\nfile '../../../../..{film}'\n",
    }


def _scripts(film: Path, url: str) -> dict[str, str]:
    mpd = '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="audio/mp4">'
    mpd += '<Representation id="1" bandwidth="1"><BaseURL>%s</BaseURL></Representation></AdaptationSet></Period></MPD>'
    svg = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    svg += '<image xlink:href="%s"/></svg>'
    smooth = f'<StreamIndex Type="audio" Url="{url}"/>'
    imf = "http://www.smpte-ra.org/schemas/2067-3/2016"
    return {
        "dash-file": mpd % film,
        "dash-http": mpd % url,
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
        "svg-file": svg % f"file://{film}",
        "svg-http": svg % url,
        "svg-entity": f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file://{film}">]>{svg % "x"}<text>&x;</text>',
        "avisynth": f'AviSource("{film}")\n',
        "vapoursynth": f"import vapoursynth\nopen('{film}').read()\n",
        "edl": f"# mpv EDL v0\n{film},0,9\n",
        "cue": f'FILE "{film}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
        "asx": f'<asx version="3.0"><entry><ref href="{url}"/></entry></asx>',
        "pls": f"[playlist]\nFile1={film}\nNumberOfEntries=1\n",
        "rtsp": f"RTSPtext\n{url.replace('http', 'rtsp')}\n",
        "smooth": f'<SmoothStreamingMedia MajorVersion="2">{smooth}</SmoothStreamingMedia>',
        "imf": f'<CompositionPlaylist xmlns="{imf}"><Id>{film}</Id></CompositionPlaylist>',
        "ffmetadata": f";FFMETADATA1\ntitle={film}\n",
        "subtitle": f"1\n00:00:00,000 --> 00:00:09,000\n<img src='{url}'>\n",
        "image-pattern": f"{film.parent}/%d.png\n",
        "pipe-name": "pipe:0\n",
    }


def _disguised(film: Path, url: str) -> dict[str, bytes]:
    """Play lists behind the first bytes of something that is accepted."""
    hls = f"{HLS}#EXTINF:9,\n{url}\n#EXTINF:9,\n{film}\n".encode()
    tag = b"ID3\4\0\0" + bytes([0, 0, 0, 20]) + bytes(20)
    return {
        "hls-after-ftyp": FTYP + hls,
        "hls-after-id3": tag + hls,
        "hls-after-riff": riff(b"WAVE", hls),
        "hls-in-free-box": box("free", hls) + FTYP,
        "avi-gab2": _avi_with_text(b"GAB2\0\2\0" + bytes(10) + b"\4\0" + len(hls).to_bytes(4, "little") + hls),
        "avi-xbin": _avi_with_text(b"GAB2\0\2\0" + bytes(10) + b"\4\0\0\0\0\0" + b"XBIN\x1a" + hls),
        "gzip-of-hls": zlib.compress(hls),
    }


def _containers(film: Path, url: str) -> dict[str, bytes]:
    rmra = box("rmra", box("rmda", full("rdrf", b"url ", u32(len(url) + 1), url.encode() + b"\0")))
    text = ebml(0xAE, number(0xD7, 1), number(0x73C5, 1), number(0x83, 17), ebml(0x86, b"S_TEXT/UTF8"))
    return {
        "mov-reference-movie": FTYP + box("moov", rmra),
        "matroska-subtitle-of-hls": matroska(tracks=text, cluster=ebml(0x1F43B675, block(HLS.encode()))),
        "matroska-codec-url": matroska(
            tracks=sound_track(ebml(0x3A9697, url.encode()), ebml(0x3B4040, url.encode()), codec=ebml(0x86, b"A_X"))
        ),
    }


def _alias(film: Path) -> bytes:
    """As the old Mac wrote it: volume, folders and name, and the whole path once more."""
    path = str(film).encode()
    head = bytes(6) + (150).to_bytes(2, "big") + bytes(2) + b"\1/" + bytes(26) + bytes(8)
    name = bytes([min(len(film.name), 63)]) + film.name.encode()[:63].ljust(63, b"\0")
    rest = bytes(16) + (1).to_bytes(2, "big") + (1).to_bytes(2, "big") + bytes(16)
    records = b"\0\x12" + len(path).to_bytes(2, "big") + path + b"\0" * (len(path) % 2)
    return full("alis", head + name + rest + records + b"\xff\xff\0\0")


def _avi_with_text(text: bytes) -> bytes:
    head = chunk(b"avih", bytes(16) + b"\x10\0\0\0" + bytes(4) + bytes(4) + b"\1\0\0\0" + bytes(24))
    stream = chunk(b"LIST", b"strl", chunk(b"strh", b"txts" + bytes(52)), chunk(b"strf", b""))
    return riff(b"AVI ", chunk(b"LIST", b"hdrl", head, stream), chunk(b"LIST", b"movi", chunk(b"00tx", text)))

"""What ffmpeg is told to do for one picture of a film. Decoders of pictures have most of the holes found in ffmpeg, so
they get a run of their own, after the sound is safe: a hostile picture costs itself at most."""

from biblio.adapters.audio.command import NO_METADATA, PROTOCOLS, look_at, talk

PICTURE = "poster.jpg"

CONTAINERS = "mov,matroska,avi"
# What cameras, phones, screen recorders and conference rooms write.
DECODERS = (
    "h264,hevc,av1,libdav1d,libaom-av1,vp8,libvpx,vp9,libvpx-vp9,mpeg4,msmpeg4v1,msmpeg4v2,msmpeg4,"
    "mpeg1video,mpeg2video,mjpeg,h263,theora,prores,dvvideo,wmv1,wmv2,wmv3,vc1,flv"
)
MAX_PIXELS = 8_192 * 4_320
WIDEST = 640
SECONDS = 4  # looked at, from the beginning on
MOST_BYTES = 1024**2

# One in half a second, as people see it: upright, no pixel wider than high. What is read first is a key frame that lies
# before the place that was sought: its times begin at 0, or it would be left out.
_SHRINK = f"min(1,min({WIDEST}/(iw*sar),{WIDEST}/ih))"
_FRAMES = (
    f"setpts=PTS-STARTPTS,fps=2,scale=w='max(2,2*trunc(iw*sar*{_SHRINK}/2))':h='max(2,2*trunc(ih*{_SHRINK}/2))',"
    "setsar=1,format=yuv420p"
)
# Of what is brighter than black anywhere, the one most like the others: neither a flash nor the middle of a fade.
_TELLING = "signalstats,metadata=mode=select:key=lavfi.signalstats.YMAX:function=greater:value=64,thumbnail=n=4"


def picture_command(binary: str, url: str, *, at: float, telling: bool, threads: int) -> list[str]:
    """One JPEG from `at` seconds on, written into the folder it runs in; with `telling`, none that is black."""
    allowed = ("-protocol_whitelist", PROTOCOLS, "-format_whitelist", CONTAINERS, "-codec_whitelist", DECODERS)
    place = ("-noaccurate_seek", "-ss", f"{at:.3f}", "-t", str(SECONDS))
    film = (*allowed, *look_at(MAX_PIXELS, threads), "-an", "-sn", "-dn", *place, "-i", url)
    form = ("-frames:v", "1", "-c:v", "mjpeg", "-q:v", "5", "-pix_fmt", "yuvj420p", "-f", "mjpeg")
    frames = f"{_FRAMES},{_TELLING}" if telling else _FRAMES
    # V, not v: the cover of a record is no picture of a film.
    return [binary, *talk(), *film, "-map", "0:V:0", "-vf", frames, *NO_METADATA, *form, PICTURE]

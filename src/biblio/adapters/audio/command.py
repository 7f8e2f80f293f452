"""What ffmpeg is told to do, and the only kinds of input it may touch."""

from biblio.adapters.audio.film_time import FILM_TIME

LISTENING = "listening.mp3"
SPEECH = "speech.flac"

# What is allowed, not what is forbidden: a play list called .mp4 otherwise reads other files and the network.
PROTOCOLS = "http,tcp"  # the relay; redirects and references in a film lead nowhere else
CONTAINERS = "mov,matroska,avi,mp3,wav,flac"
# No picture and subtitle decoders: they are not needed, and most holes found in ffmpeg were in them. Only the one for
# H.264 stays: without it ffmpeg misjudges where a Matroska film begins, and the sound would be shifted.
DECODERS = ",".join(
    (
        "h264",
        "aac,aac_fixed,aac_latm,ac3,ac3_fixed,alac,amrnb,amrwb,ape,atrac3,cook,dca,eac3,flac,gsm,gsm_ms,libfdk_aac",
        "libopencore_amrnb,libopencore_amrwb,libopus,libvorbis,mace3,mace6,mlp,mp1,mp1float,mp2,mp2float,mp3,mp3float",
        "nellymoser,opus,qdm2,qdmc,qcelp,speex,truehd,tta,vorbis,wavpack,wmav1,wmav2,wmapro,wmavoice,wmalossless",
        "adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,adpcm_g722,adpcm_g726,adpcm_yamaha,adpcm_swf",
        "pcm_alaw,pcm_mulaw,pcm_bluray,pcm_dvd,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_lxf,pcm_s8,pcm_s8_planar",
        "pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s64be,pcm_s64le,pcm_u8,pcm_u16be,pcm_u16le",
        "pcm_u24be,pcm_u24le,pcm_u32be,pcm_u32le",
    )
)
MAX_PIXELS = 16_384 * 8_640
MAX_STREAMS = 100
# How far ffmpeg looks into a film before it begins: its own defaults, which another version may change.
PROBED_BYTES = 5_000_000
PROBED_MICROSECONDS = 5_000_000
MAX_ALLOCATION = 512 * 1024**2  # bytes in one piece: the index of a 12-hour film needs 100 MB

NO_METADATA = ("-map_metadata", "-1", "-map_chapters", "-1")


def ffmpeg_command(binary: str, url: str, *, seconds: float, threads: int) -> list[str]:
    """Both sounds from one reading of `url`, written into the folder it runs in; at most `seconds` of each.

    Progress comes on standard output, the log with its levels on standard error.
    """
    return [binary, *talk(), *_input(url, threads), *_listening(seconds), *_speech(seconds)]


def talk() -> tuple[str, ...]:
    log = ("-loglevel", "repeat+level+info", "-nostats", "-progress", "pipe:1", "-stats_period", "0.5")
    return ("-hide_banner", "-nostdin", "-y", *log, "-max_alloc", str(MAX_ALLOCATION), "-filter_complex_threads", "1")


def _input(url: str, threads: int) -> tuple[str, ...]:
    allowed = ("-protocol_whitelist", PROTOCOLS, "-format_whitelist", CONTAINERS, "-codec_whitelist", DECODERS)
    return (*allowed, *look_at(MAX_PIXELS, threads), "-vn", "-sn", "-dn", "-i", url, "-filter_complex", FILM_TIME)


def look_at(pixels: int, threads: int) -> tuple[str, ...]:
    """How much of a film ffmpeg may take in."""
    bounds = ("-max_pixels", str(pixels), "-max_streams", str(MAX_STREAMS), "-threads", str(threads))
    return (*bounds, "-probesize", str(PROBED_BYTES), "-analyzeduration", str(PROBED_MICROSECONDS))


def _listening(seconds: float) -> tuple[str, ...]:
    cap = ("-t", f"{seconds:.3f}")
    return ("-map", "[listening]", *NO_METADATA, "-vn", "-acodec", "libmp3lame", "-q:a", "2", *cap, LISTENING)


def _speech(seconds: float) -> tuple[str, ...]:
    sound = ("-ac", "1", "-ar", "16000", "-c:a", "flac", "-sample_fmt", "s16", "-t", f"{seconds:.3f}")
    return ("-map", "[speech]", *NO_METADATA, "-vn", *sound, SPEECH)

"""Times in the sound are times in the film: silence goes where the film has none of its sound.

A track that begins late and a gap in a recording would otherwise move every later word. Samples of an ordinary film
pass unchanged.
"""

TOLERATED = 0.3  # seconds that sound and its times may differ before silence is put in: containers round
UNHEARD = 0.05  # seconds that a track may begin late and be taken as beginning at once
BEAT = 20  # seconds between two beats
LENGTH = 7  # samples of a beat; no decoder makes frames of so few

# Where a header lies, its times may not run slower than 0.99 of the sound itself: ffmpeg would throw the rest away.
# A track that begins a few thousandths of a second late gets no silence before it: nobody hears that, but a recogniser
# on the edge between two words hears other words.
_PROMPT = f"PTS-if(between(STARTPTS*TB,0,{UNHEARD}),STARTPTS,0)"
_HONEST = f"asetpts='max({_PROMPT},0.99*NB_CONSUMED_SAMPLES/(SR*TB))'"

# ffmpeg fills a gap in memory, 1 MB a second, and one of over half an hour wrongly. So a gap is cut into short ones:
# a few silent samples of the film's own format beat along, and only those that fall into a gap are let through.
_BEATS = f"atrim=end_sample={LENGTH},aloop=-1:{LENGTH},volume=0,asetpts='(1+NB_CONSUMED_SAMPLES/{LENGTH})*{BEAT}/TB'"
# ainterleave gives microseconds and calls them samples (5.1 to 9.0); this is right with and without that.
_MERGED = "ainterleave=duration=first,asetpts='floor(PTS*1e-6/TB+0.5)'"
# Register 0 is the time up to which there is sound.
_IN_GAPS = f"aselect='if(eq(samples_n,{LENGTH})*lt(t,ld(0)+1),0,st(0,t+samples_n/sample_rate)+1)'"
_FILLED = f"aresample=async=1:first_pts=0:min_hard_comp={TOLERATED}"


def _filled(name: str) -> str:
    sound, seed, beats = f"[{name}_sound]", f"[{name}_seed]", f"[{name}_beats]"
    beating = f"[0:a:0]{_HONEST},asplit{sound}{seed};{seed}{_BEATS}{beats}"
    return f"{beating};{sound}{beats}{_MERGED},{_IN_GAPS},{_FILLED}[{name}]"


# One graph for both outputs: as two graphs ffmpeg 9.0.2 now and then waits for itself for ever on a damaged film. Not
# one sound split in two either: ffmpeg 5.1 then brings both down to the lower rate.
FILM_TIME = ";".join(_filled(name) for name in ("listening", "speech"))

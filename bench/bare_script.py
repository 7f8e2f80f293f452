"""What somebody without biblio writes: `bare_script.py FFMPEG WEIGHTS FILM`. The other side of ingest_overhead.py."""

import subprocess
import sys
import tempfile
from pathlib import Path

from faster_whisper import BatchedInferencePipeline, WhisperModel


def main(ffmpeg: str, weights: str, film: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "sound.mp3"
        extract = ["-vn", "-acodec", "libmp3lame", "-q:a", "2", str(sound)]
        subprocess.run([ffmpeg, "-nostdin", "-y", "-v", "error", "-i", film, *extract], check=True)
        model = WhisperModel(weights, device="cpu", compute_type="int8")
        segments, _ = BatchedInferencePipeline(model).transcribe(str(sound), batch_size=8, word_timestamps=True)
        for segment in segments:
            print(segment.text)


if __name__ == "__main__":
    main(*sys.argv[1:])

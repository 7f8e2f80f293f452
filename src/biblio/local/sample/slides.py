"""Draws the slides of the sample talk, for make, which runs without biblio: nothing of biblio is imported here."""

import math
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

WIDTH, HEIGHT = 1280, 720
LEFT, RIGHT, TOP, FLOOR = 96.0, 1184.0, 320.0, 590.0  # where the figures stand
SERIF, SANS = "P052-Bold", "Nimbus-Sans-Regular"  # as ImageMagick names the fonts of fonts-urw-base35
PAPER, INK, SOFT, LINE = "#f8f5ee", "#1f2f3d", "#6d7680", "#d5d0c4"
TEAL, MINT, CORAL = "#2d7a78", "#e3ebe7", "#c8583a"

Point = tuple[float, float]


@dataclass
class Slide:
    """One block of talk.txt."""

    title: str
    subtitle: str = ""
    lines: list[str] = field(default_factory=list)


def run(*command: str | Path) -> None:
    """Run a program; stop here if it fails."""
    subprocess.run([str(part) for part in command], check=True)


# --- ImageMagick's drawing language ----------------------------------------------------------------------------------


def stroke(colour: str, width: float = 3) -> str:
    """Draw lines from here on."""
    return f"fill none stroke {quoted(colour)} stroke-width {width} stroke-linecap round stroke-linejoin round"


def fill(colour: str) -> str:
    """Draw filled shapes from here on."""
    return f"stroke none fill {quoted(colour)}"


def quoted(words: str) -> str:
    """Words in quotation marks."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def path(*points: Point) -> str:
    """A line through the points."""
    return 'path "M ' + " L ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"'


def dot(x: float, y: float, radius: float = 11) -> str:
    """A filled circle."""
    return f"circle {x:.1f},{y:.1f} {x + radius:.1f},{y:.1f}"


def box(x: float, y: float, width: float, height: float, corner: float) -> str:
    """A rectangle with round corners."""
    return f"roundrectangle {x:.1f},{y:.1f} {x + width:.1f},{y + height:.1f} {corner},{corner}"


def text(x: float, y: float, words: str, colour: str, size: int = 30, font: str = SANS, anchor: str = "start") -> str:
    """Words on the base line y; anchor says which part of them stands at x: start, middle or end."""
    return f"{fill(colour)} font {font} font-size {size} text-anchor {anchor} text {x:.1f},{y:.1f} {quoted(words)}"


def arrow(start: Point, end: Point, colour: str) -> list[str]:
    """An arrow with a solid head."""
    angle = math.atan2(end[1] - start[1], end[0] - start[0])

    def back(turn: float, length: float) -> Point:
        return end[0] - length * math.cos(angle + turn), end[1] - length * math.sin(angle + turn)

    head = " ".join(f"{x:.1f},{y:.1f}" for x, y in (end, back(0.38, 30), back(-0.38, 30)))
    return [stroke(colour, 6), path(start, back(0, 22)), fill(colour), f"polygon {head}"]


# --- The figures. Each fills the space between LEFT and RIGHT, TOP and FLOOR -----------------------------------------


def shelf() -> list[str]:
    """A row of bars: books on a shelf, or a voice on a screen."""
    drawn = [stroke(LINE), path((LEFT, FLOOR + 2), (RIGHT, FLOOR + 2))]
    for number in range(52):
        swell = math.sin(math.pi * (number + 0.5) / 52) ** 0.7
        height = 26 + 190 * swell * abs(0.55 * math.sin(number * 0.9) + 0.45 * math.sin(number * 0.37 + 1))
        drawn += [fill(CORAL if number == 28 else TEAL), box(LEFT + number * 21.1, FLOOR - height, 12, height, 3)]
    return drawn


def remembered(share: float) -> float:
    """How high on the slide this share of what was learned stands."""
    return FLOOR - (FLOOR - TOP) * share


def axes() -> list[str]:
    """Memory upwards, time to the right."""
    time = text(RIGHT, FLOOR - 14, "time", SOFT, 26, anchor="end")
    return [time, stroke(LINE), path((LEFT, TOP), (LEFT, FLOOR), (RIGHT, FLOOR))]


def forgetting() -> list[str]:
    """Memory against time: the steep fall, and the two measurements that are spoken of."""

    def at(x: float) -> Point:  # 44 % is left where the hour stands and 34 % where the day does, as Ebbinghaus found
        return x, remembered((1 + 250 * (x - LEFT) / (RIGHT - LEFT)) ** -0.214)

    hour, day = at(LEFT + 196), at(LEFT + 653)
    curve = [at(LEFT + x * x / 1000) for x in range(0, 1041, 8)]
    drawn = [*axes(), path((hour[0], FLOOR), hour), path((day[0], FLOOR), day), stroke(TEAL, 6), path(*curve)]
    for (x, y), when, gone in ((hour, "after one hour", "more than half is gone"),
                               (day, "after one day", "two thirds are gone")):  # fmt: skip
        drawn += [fill(CORAL), dot(x, y), text(x, y - 34, gone, INK), text(x + 14, FLOOR - 14, when, SOFT, 26)]
    return drawn


def spectrogram() -> list[str]:
    """Nothing is drawn here: the spectrogram is pasted in, see picture_of_sound."""
    return []


def words() -> list[str]:
    """Words on a line of time."""
    drawn = [stroke(LINE), path((LEFT, 484), (RIGHT, 484))]
    said = ("every", 0, 0.42), ("word", 0.46, 0.9), ("has", 0.96, 1.2), ("its", 1.24, 1.48), ("moment", 1.54, 2.2)
    for word, start, end in said:
        x, width = LEFT + start * 494, (end - start) * 494
        chosen = word == "moment"
        drawn += [fill(CORAL if chosen else MINT), box(x, 366, width, 96, 14),
                  text(x + width / 2, 428, word, PAPER if chosen else INK, 42, anchor="middle"),
                  text(x + 2, 530, f"{start:.2f} s", CORAL if chosen else SOFT, 28)]  # fmt: skip
    return drawn


def arrows() -> list[str]:
    """Two arrows that nearly agree and one that does not."""
    origin = (LEFT + 20, FLOOR)
    return [*arrow(origin, (352, 330), LINE), *arrow(origin, (690, 388), CORAL), *arrow(origin, (720, 456), TEAL),
            fill(INK), dot(*origin), text(376, 342, "another subject", SOFT, 32),
            text(714, 394, "a question in Korean", CORAL, 36),
            text(744, 466, "its answer in English", TEAL, 36)]  # fmt: skip


def stores() -> list[str]:
    """Two stores inside one transaction."""
    drawn = [stroke(CORAL, 4), "stroke-dasharray 14 10", box(LEFT, 326, RIGHT - LEFT, 268, 24), "stroke-dasharray none"]
    for x, name in ((LEFT + 64, "text"), (RIGHT - 64 - 440, "arrows")):
        drawn += [fill(MINT), box(x, 372, 440, 120, 16), text(x + 220, 446, name, TEAL, 46, SERIF, "middle")]
    return [*drawn, text(WIDTH / 2, 448, "+", SOFT, 48, anchor="middle"),
            text(WIDTH / 2, 556, "both, or none", CORAL, 34, anchor="middle")]  # fmt: skip


def review() -> list[str]:
    """Every review lifts the curve again and makes its fall gentler."""
    drawn = axes()
    reviews: list[Point] = []
    begins = (LEFT, LEFT + 200, LEFT + 460, LEFT + 760, RIGHT - 40)
    for begin, end, steepness in zip(begins[:-1], begins[1:], (9.0, 4.0, 1.8, 0.8), strict=True):
        steps = [begin + (end - begin) * step / 40 for step in range(41)]
        fall = [(x, remembered(0.28 + 0.56 * math.exp(-steepness * (x - begin) / (RIGHT - LEFT)))) for x in steps]
        if end != begins[-1]:
            reviews.append((end, remembered(0.84)))
            drawn += [stroke(LINE), path(fall[-1], reviews[-1])]
        drawn += [stroke(TEAL, 6), path(*fall)]
    drawn += [fill(CORAL), *(dot(*point) for point in reviews)]
    return [*drawn, text(LEFT + 200, remembered(0.84) - 28, "after one day", INK, anchor="middle")]


# --- The pictures ----------------------------------------------------------------------------------------------------


def picture_of_sound(wav: Path, picture: Path) -> list[str]:
    """A spectrogram of the file as ImageMagick's words to paste it in: sox draws it, black on white."""
    run("sox", wav, "-n", "rate", "12k", "spectrogram", "-r", "-m", "-l", "-z", "80",
        "-x", str(round(RIGHT - LEFT)), "-y", str(round(FLOOR - TOP)), "-o", picture)  # fmt: skip
    return ["(", str(picture), "-colorspace", "Gray", "+level-colors", f"{INK},{PAPER}", ")",
            "-geometry", f"+{LEFT:.0f}+{TOP:.0f}", "-composite"]  # fmt: skip


def draw(slides: list[Slide], say: Callable[[str, Path], object], folder: Path) -> list[Path]:
    """Every slide as a picture; say speaks a line into a file, for the spectrogram to show."""
    figures: list[Callable[[], list[str]]] = [shelf, forgetting, spectrogram, words, arrows, stores, review]
    pictures = []
    for number, (slide, figure) in enumerate(zip(slides, figures, strict=True), 1):
        drawn = [
            *figure(),
            text(LEFT - 3, 178, slide.title, INK, 67, SERIF),
            text(LEFT, 250, slide.subtitle, TEAL, 38),
            text(LEFT, 662, slides[0].title if number > 1 else "", SOFT, 24),
            text(RIGHT, 662, f"{number} / {len(slides)}", SOFT, 24, anchor="end"),
        ]
        pasted: list[str] = []
        if figure is spectrogram:
            say(slide.lines[0], folder / "line.wav")
            pasted = picture_of_sound(folder / "line.wav", folder / "spectrogram.png")
        pictures.append(folder / f"{number}.png")
        run("convert", "-size", f"{WIDTH}x{HEIGHT}", f"xc:{PAPER}", *pasted, "-draw", " ".join(drawn),
            "-depth", "8", "+set", "date:create", "+set", "date:modify", f"PNG24:{pictures[-1]}")  # fmt: skip
    return pictures

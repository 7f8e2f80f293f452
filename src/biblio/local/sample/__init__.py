"""The sample talk: a short film, and questions whose answers are known to stand in it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Question:
    """A question about the talk, and from where to where, in seconds, the sentences are spoken which answer it."""

    text: str
    language: str
    start: float
    end: float


TALK: Path = Path(__file__).with_name("talk.mp4")
TITLE: str = "How a library learned to remember"

# The first one in each language is the one to show. The times are those of the words in this very film, as Whisper
# base hears them; measure them again whenever talk.txt or make changes.
QUESTIONS: tuple[Question, ...] = (
    Question("When should I review my notes?", "en", 82.45, 85.79),
    Question("How does a computer turn speech into words?", "en", 38.55, 41.89),
    Question("How is a spectrogram made from sound?", "en", 27.01, 34.45),
    Question("How does a transaction keep two databases consistent?", "en", 69.91, 79.17),
    Question("How much of what they learn do people forget after an hour?", "en", 11.36, 13.90),
    Question("How can a Korean question find an English answer?", "en", 57.69, 65.01),
    Question("한국어로 물어도 영어 답을 찾을 수 있나요?", "ko", 57.69, 65.01),
    Question("컴퓨터는 사람이 한 말을 어떻게 받아 적나요?", "ko", 38.55, 41.89),
    Question("사람은 배운 것을 한 시간 뒤에 얼마나 잊어버리나요?", "ko", 11.36, 13.90),
    Question("트랜잭션은 두 데이터베이스가 어긋나지 않게 어떻게 막나요?", "ko", 69.91, 79.17),
    Question("강의를 듣고 노트를 언제 복습하는 것이 좋나요?", "ko", 82.45, 85.79),
    Question("소리로 스펙트로그램을 어떻게 만드나요?", "ko", 27.01, 34.45),
)

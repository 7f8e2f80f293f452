"""When an engine of a route is asked: what stands behind the # of its address."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from biblio.dsn import Options
from biblio.errors import InvalidInput, Misconfigured
from biblio.ports.speech import SpeechEngine

NONE = "none"
"""In a rule: nothing was asked for."""
QUALITIES = ("fast", "high_quality")


def _listed(value: object) -> object:
    return tuple(one.strip() for one in value.split(",")) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Rules(Options):
    """`language` and `model`: those that may be asked for, separated by commas, `none` among them; `max_minutes` of a
    sound. What is left out is no rule."""

    language: Names = ()
    max_minutes: float | None = Field(default=None, gt=0)
    model: Names = ()

    def check(self, name: str, engine: SpeechEngine) -> None:
        """Raises `Misconfigured` for what the engine called `name` does not have: the rule would never hold."""
        try:
            for language in self.language:
                engine.check(_named(language), None)
            for model in self.model:
                engine.check(None, _named(model))
        except InvalidInput as error:
            raise Misconfigured(f"A rule of {name}: {error.message}") from error

    def refusal(
        self, engine: SpeechEngine, language: str | None, model: str | None, seconds: float | None
    ) -> InvalidInput | None:
        """Why an engine that could do it is not asked; `seconds` None: nobody knows yet how long the sound is."""
        if not self.takes_model(engine, model):
            return InvalidInput(f"It is asked for {_said(self.model, 'model')} only.", code="UNKNOWN_MODEL")
        if not self._takes_language(language):
            return InvalidInput(f"It is asked for {_said(self.language, 'language')} only.", code="UNKNOWN_LANGUAGE")
        if self.max_minutes is not None and seconds is not None and seconds > self.max_minutes * 60:
            return InvalidInput(f"It is asked for {self.max_minutes:g} minutes at most.", code="TOO_LONG")
        return None

    def _takes_language(self, asked: str | None) -> bool:
        if not self.language or asked is None:
            return not self.language or NONE in self.language
        return any(f"{_tag(asked)}-".startswith(f"{_tag(one)}-") for one in self.language)

    def takes_model(self, engine: SpeechEngine, asked: str | None) -> bool:
        if not self.model or asked is None:
            return not self.model or NONE in self.model
        if asked in QUALITIES or asked in self.model:
            return asked in self.model
        # Whoever names the model that is meant by `high_quality` asks for the same.
        return engine.model_name(asked) in {engine.model_name(_named(one)) for one in self.model}


def _named(one: str) -> str | None:
    return None if one == NONE else one


def _tag(language: str) -> str:
    return language.strip().lower().replace("_", "-")


def _said(names: tuple[str, ...], what: str) -> str:
    return " or ".join(f"no {what}" if one == NONE else f"the {what} {one}" for one in names)

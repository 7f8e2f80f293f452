"""Languages as Google Speech names them: full BCP-47 tags. A bare `ko` is refused by it, so none is ever sent."""

from biblio.errors import InvalidInput

DETECT = "auto"
"""What the Chirp models take instead of candidates: any language they know."""

TAGS = {
    tag.partition(" ")[0]: tag.split()[1:]
    for tag in """
af af-ZA|am am-ET|ar ar-EG ar-AE ar-SA ar-XA|as as-IN|ast ast-ES|az az-AZ|be be-BY|bg bg-BG|bn bn-IN bn-BD|bs bs-BA
ca ca-ES|ceb ceb-PH|ckb ckb-IQ|cs cs-CZ|cy cy-GB|da da-DK|de de-DE de-AT de-CH|el el-GR|en en-US en-AU en-GB en-IN
es es-ES es-US es-MX es-419|et et-EE|eu eu-ES|fa fa-IR|fi fi-FI|fil fil-PH|fr fr-FR fr-CA|ga ga-IE|gl gl-ES|gu gu-IN
ha ha-NG|he iw-IL|hi hi-IN|hr hr-HR|hu hu-HU|hy hy-AM|id id-ID|ig ig-NG|is is-IS|it it-IT it-CH|ja ja-JP|jv jv-ID
ka ka-GE|kk kk-KZ|km km-KH|kn kn-IN|ko ko-KR|ky ky-KG|lb lb-LU|ln ln-CD|lo lo-LA|lt lt-LT|lv lv-LV|mi mi-NZ|mk mk-MK
ml ml-IN|mn mn-MN|mr mr-IN|ms ms-MY|mt mt-MT|my my-MM|ne ne-NP|nl nl-NL nl-BE|no no-NO|ny ny-MW|oc oc-FR|or or-IN
pa pa-Guru-IN|pl pl-PL|ps ps-AF|pt pt-BR pt-PT|ro ro-RO|ru ru-RU|sd sd-IN|si si-LK|sk sk-SK|sl sl-SI|sn sn-ZW|so so-SO
sq sq-AL|sr sr-RS|su su-ID|sv sv-SE|sw sw-KE|ta ta-IN|te te-IN|tg tg-TJ|th th-TH|tr tr-TR|uk uk-UA|ur ur-PK|uz uz-UZ
vi vi-VN|wo wo-SN|xh xh-ZA|yo yo-NG|yue yue-Hant-HK|zh cmn-Hans-CN cmn-Hant-TW|zu zu-ZA
""".replace("\n", "|").split("|")
    if tag
}
"""ISO 639-1 (639-3 where that has none) → Google's tags of it, the usual one first."""

_ISO = {"cmn": "zh", "iw": "he", "nb": "no", "nn": "no", "tl": "fil", "jw": "jv"}
"""Other names of them: Google's own, and Whisper's."""
UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "yue", "zh"})
"""Languages that write no blanks between words."""


def iso(tag: str) -> str:
    """ISO 639 of a tag in any case and dress: `ko-kr`, `ko_KR` and `ko` are `ko`, `cmn-Hans-CN` is `zh`."""
    language = tag.strip().lower().replace("_", "-").partition("-")[0]
    return _ISO.get(language, language)


def tag_of(language: str) -> str:
    """Google's tag: the country that was said where Google has it, else the usual one. Raises `InvalidInput`."""
    tags = TAGS.get(iso(language))
    if not tags:
        raise InvalidInput(f"Google Speech does not know the language '{language}'.", code="UNKNOWN_LANGUAGE")
    said = language.strip().lower().replace("_", "-")
    country = said.rpartition("-")[2] if "-" in said else ""
    same = [tag for tag in tags if tag.lower() == said or (country and tag.lower().endswith(f"-{country}"))]
    return (same or tags)[0]


class Candidates:
    """What is asked for. `listed` is `auto`, or languages between commas: then one of them is spoken.

    Raises `InvalidInput` for one that Google does not know.
    """

    def __init__(self, listed: str) -> None:
        names = [name for name in (part.strip() for part in listed.split(",")) if name]
        self._tags = [DETECT] if names == [DETECT] else [tag_of(name) for name in names]
        if not self._tags:
            raise InvalidInput("There is no language to choose from.", code="UNKNOWN_LANGUAGE")

    def tags(self, language: str | None) -> list[str]:
        """All candidates for None. For a language without its country: the candidate's country first of all."""
        if language is None:
            return self._tags
        usual = tag_of(language)
        if "-" in language or "_" in language:
            return [usual]
        return [next((tag for tag in self._tags if iso(tag) == iso(usual)), usual)]

"""The language of a text. What belongs here: which language a text is written in, by its script and its function words. What
does not: the words that phrases leave out (stopwords), and the encoding of a file, which is known earlier.

A script that one language of the world mostly uses decides alone (Greek, Thai, Korean, ...). Latin, Cyrillic and Arabic letters
are shared by many languages, so the words that a language cannot do without are counted. A text with too few of them is of
unknown language, which is better than a wrong one. A library with models of 97 languages (py3langid) was slower to load by
2.7 s and took 106 MB.
"""

import re
from collections import Counter
from functools import cache

from seed_assets.core.text.stopwords import LISTS
from seed_assets.core.text.words import WORD

# The parts of a text that are looked at: this many, of so many characters each.
_PARTS, _PART_CHARACTERS = 3, 2_000
# At least so many function words, and so large a share of all words, must be of the language. In the articles of XQuAD the
# share is .1 (Turkish) to .5 in the right language, and no text of 160 characters is given a wrong one.
_FEWEST_WORDS, _LEAST_SHARE = 3, 0.08
# The best language must have so many times as many function words as the second one.
_LEAD = 1.15
# Of Chinese characters and kana, Japanese has at least this share of kana.
_LEAST_KANA = 0.05
# One character of Chinese is worth about so many letters.
_IDEOGRAM_LETTERS = 3

_SCRIPTS = {
    "latin": "A-Za-z\u00c0-\u024f\u1e00-\u1eff",
    "cyrillic": "\u0400-\u052f",
    "arabic": "\u0600-\u06ff\u0750-\u077f",
    "han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff",
    "kana": "\u3041-\u30ff",
    "ko": "\u1100-\u11ff\uac00-\ud7af",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "he": "\u0590-\u05ff",
    "hy": "\u0530-\u058f",
    "ka": "\u10a0-\u10ff",
    "hi": "\u0900-\u097f",
    "bn": "\u0980-\u09ff",
    "pa": "\u0a00-\u0a7f",
    "gu": "\u0a80-\u0aff",
    "ta": "\u0b80-\u0bff",
    "te": "\u0c00-\u0c7f",
    "kn": "\u0c80-\u0cff",
    "ml": "\u0d00-\u0d7f",
    "si": "\u0d80-\u0dff",
    "th": "\u0e00-\u0e7f",
    "lo": "\u0e80-\u0eff",
    "my": "\u1000-\u109f",
    "am": "\u1200-\u137f",
    "km": "\u1780-\u17ff",
}
_RUNS = {name: re.compile(f"[{letters}]+") for name, letters in _SCRIPTS.items()}
_SHARED = frozenset({"latin", "cyrillic", "arabic"})

# Function words of languages that have no list of stop words here.
_OTHERS = {
    "cs": "a aby ale až být byl byla bylo byly co další do i jak jako je jeho jejich jen ještě již jsou jsem k která které "
    "který kteří ke má může na nebo není o od pak po pod podle pro proti protože před při s se si své tak také tento této tím "
    "to tomto u už v ve však z za ze že",
    "da": "af at blev de den der deres det dette efter eller en er et for fra før han hans har havde hun hvor i ikke jeg kan "
    "kunne man med meget men mod når og også om op over på sig sin skal som så til ud under var ved vi være været",
    "fi": "ei eivät että hän hänen he ja jo joka jos jotka kanssa koska kuin kun kuten mukaan mutta myös ne niin noin nyt oli "
    "olivat olla ole on ovat saa se sekä sen siitä sitä tai tämä tämän vain voi vuonna",
    "hu": "a az csak de egy egyik el első és ez ezt hogy ha hanem illetve is le lehet majd már még meg mert mint minden nagy "
    "nem pedig s sem szerint után vagy valamint van volt voltak",
    "id": "ada adalah akan atau bahwa banyak bisa dalam dan dapat dari dengan di ia ini itu juga kami karena ke kepada lebih "
    "mereka oleh orang pada para saat sangat sebagai sebuah secara seperti serta telah tersebut tidak untuk yang",
    "no": "av at ble de den der det dette eller en er et etter for fra før han hans har hadde hun hvor i ikke jeg kan kunne man "
    "med men mot når og også om opp over på seg sin skal som så til ut under var ved vi være vært",
    "pl": "a aby ale bardzo być był była było były co czy dla do gdy gdzie i ich jak jako jego jej jest jeszcze już kiedy które "
    "który która lub ma może na nie niż o od oraz po pod podczas przed przez przy się są ta tak także tego tej ten to tym w we "
    "więc z za ze że",
    "ro": "a acest această ai al ale am ar are asupra au avea ca care cea cei cel cele ce cu cum că dar de deși din după este "
    "fi fost fără iar în într între la lor lui mai nu o or pe pentru prin sa sau se sunt spre să și și-a un unei unor unui era",
    "sv": "alla att av blev både de dem den denna det detta där efter eller en ett från för ha han hade hans har hon i inte "
    "jag kan kunde man med men mot mycket när någon och också om på sedan sig sin ska som så till under upp ut var vara varit "
    "vi vid är än",
    "tr": "ama ancak arasında ayrıca bir biri birçok bu buna bunu bunun da daha de değil diye en fazla gibi göre her "
    "iki ile ilk ise için içinde kadar ki mi ne o olan olarak oldu olduğu olduğunu on onlar onu onun sonra "
    "tarafından ve veya ya çok önce üzerinde şekilde",
    "uk": "а або але без більше був була були було в ви від він вона вони все де для до є з за і із й його коли лише може на "
    "не ні про та так також те ти то того у що щоб як який яка яке які це цей цього",
    "bg": "а ако без беше бъде в във всички да до е за и из или има как като които който която което към ли може на най не но "
    "от по при с са само се си след със също съм това тази този той те тя че ще",
    "vi": "bị các cho chỉ có của cũng cùng đã đang đến để đó được hai hơn khi không là lại một này nhiều như những nó ra rất sau "
    "sẽ theo thì tại trên trong từ và vào với vì về",
    "fa": "آن از است اگر اما این با باید برای بود به بین تا چه خود در دو را شد شده که کرد کند می نیز هر هم و یا یک",
    "ur": "اس اور ان ایک بھی پر تھا تھی تھے تو جو سے کا کر کو کی کے میں نے نہیں ہو ہی ہیں ہے یہ",
}
_CODES = {
    "arabic": "ar",
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
}


def language_of(text: str) -> str:
    """Return the language of most of a text, as its code in ISO 639-1 ("en"); "" if it is not known.

    Three parts of 2,000 characters are looked at. A text of fewer than about ten words is of unknown language, unless its script
    decides. Languages that share a script with a larger one and have no list of words here are unknown, or taken for their
    neighbour (Marathi for Hindi).
    """
    sample = _sample(text)
    letters = Counter({"latin": sum(map(len, _RUNS["latin"].findall(sample)))})
    if not sample.isascii():
        letters.update({name: sum(map(len, runs.findall(sample))) for name, runs in _RUNS.items() if name != "latin"})
    ideograms = letters["han"] + letters["kana"]
    letters["han"] = _IDEOGRAM_LETTERS * ideograms
    kana = letters.pop("kana", 0)
    script, count = letters.most_common(1)[0]
    if not count:
        return ""
    if script == "han":
        return "ja" if kana >= _LEAST_KANA * ideograms else "zh"
    return _by_words(sample) if script in _SHARED else script


def _sample(text: str) -> str:
    if len(text) <= _PARTS * _PART_CHARACTERS:
        return text
    step = (len(text) - _PART_CHARACTERS) // (_PARTS - 1)
    return "\n".join(text[part * step : part * step + _PART_CHARACTERS] for part in range(_PARTS))


def _by_words(sample: str) -> str:
    words = Counter(match.group() for match in WORD.finditer(sample.casefold()))
    languages = _languages()
    covered: Counter[str] = Counter()
    for word, count in words.items():
        for language in languages.get(word, ()):
            covered[language] += count
    if not covered:
        return ""
    (best, most), (_, second) = [*covered.most_common(2), ("", 0)][:2]
    sure = most >= max(_FEWEST_WORDS, _LEAST_SHARE * words.total()) and most >= _LEAD * second
    return best if sure else ""


@cache
def _languages() -> dict[str, tuple[str, ...]]:
    """Return the languages of each function word."""
    found: dict[str, list[str]] = {}
    lists = {_CODES[name]: words for name, words in LISTS.items()} | {
        code: words.split() for code, words in _OTHERS.items()
    }
    for code, words in lists.items():
        for word in words:
            found.setdefault(word.casefold(), []).append(code)
    return {word: tuple(codes) for word, codes in found.items()}

"""The language of a text, by its script and its function words."""

import pytest

from seed_assets.core.text.grammar.languages import language_of


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The river is wide, and the bridge that crosses it was built by the monks of the abbey."),
        ("de", "Der Fluss ist breit, und die Brücke über ihn wurde von den Mönchen der Abtei gebaut."),
        ("fr", "Le fleuve est large, et le pont qui le traverse a été construit par les moines de l'abbaye."),
        ("es", "El río es ancho, y el puente que lo cruza fue construido por los monjes de la abadía."),
        ("it", "Il fiume è largo, e il ponte che lo attraversa è stato costruito dai monaci dell'abbazia."),
        ("pt", "O rio é largo, e a ponte que o atravessa não foi construída pelos monges da abadia."),
        ("nl", "De rivier is breed, en de brug over het water werd door de monniken van de abdij gebouwd."),
        ("sv", "Floden är bred, och bron som går över den har byggts av munkarna i det gamla klostret."),
        ("pl", "Rzeka jest szeroka, a most, który się nad nią wznosi, został zbudowany przez mnichów z tego opactwa."),
        ("ru", "Река широка, и мост, который через нее ведет, был построен монахами, как и все здесь."),
        ("tr", "Nehir geniştir ve üzerinde bir köprü var; bu köprü çok eski, ama onun için bir masal da var."),
        ("el", "Ο ποταμός είναι πλατύς."),
        ("ko", "강은 넓다."),
        ("th", "แม่น้ำกว้าง"),
        ("hi", "नदी चौड़ी है।"),
        ("zh", "河很宽，桥是修道院的僧侣建造的。"),
        ("ja", "川は広く、橋は修道士によって建てられた。"),
    ],
)
def test_the_language_of_a_sentence_is_found(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "README", "1234 5678", "int main(void) { return 0; }", "Trees", "Anna Karenina"])
def test_a_text_with_too_few_words_is_of_unknown_language(text: str) -> None:
    """A wrong language is worse than none: its rules would be applied to names and code."""
    assert language_of(text) == ""


def test_the_parts_of_a_long_text_decide_together() -> None:
    """A foreign preface does not make a book foreign."""
    preface = "Le fleuve est large, et le pont qui le traverse est grand. " * 20
    assert language_of(preface + "The river is wide, and the bridge that crosses it is old. " * 400) == "en"

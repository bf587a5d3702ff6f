"""Callers who speak another language than the pack, and callers who only seem to."""

from __future__ import annotations

import pytest

from agent.dialog.engine.other_languages import spoken_language
from tests.shipped_pack import shipped_pack

LANGUAGES = shipped_pack().contents.other_languages


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("hola quisiera saber donde está mi pedido", "Spanish"),
        ("hola ¿dónde está mi paquete, por favor?", "Spanish"),
        ("bonjour je voudrais savoir où est mon colis", "French"),
        ("guten tag wo ist meine bestellung bitte", "German"),
        ("buongiorno vorrei sapere dove è il mio pacco", "Italian"),
        ("olá eu queria falar com uma pessoa por favor", "Portuguese"),
        ("hola where is my order", ""),
        ("no no that is not me", ""),
        ("will the problem be fixed", ""),
        ("can you do me a favor", ""),
        ("um um one oh four", ""),
        ("my mom ordered it for me", ""),
        ("merci", ""),
        ("", ""),
    ],
)
def test_a_language_is_told_by_two_of_its_commonest_words(sentence: str, language: str) -> None:
    assert spoken_language(sentence.split(), LANGUAGES) == language


def test_no_english_sentence_of_the_packs_own_is_taken_for_another_language() -> None:
    taken = [
        text
        for flow in shipped_pack().contents.flows.values()
        for text in flow.examples
        if spoken_language(text.split(), LANGUAGES)
    ]
    assert taken == []

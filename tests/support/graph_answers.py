"""What a model could answer about entities, their relationships and their profiles: what stands in the text, and an invention.

What belongs here: answers, and what a call asks for. What does not: assertions, serving (model_server).
"""

import json
import re
from typing import Any

from tests.support.model_answers import Call, fitting_answer

_NAME = re.compile(r"[A-Z][a-z]+ [A-Z][a-z]+")
_SENTENCE = re.compile(r"[^.\n]+\.")
_DOCUMENT = re.compile(r"<document>\n(.*?)\n</document>", re.DOTALL)
_PASSAGE = re.compile(r"<passage[^>]*>\n(.*?)\n</passage>", re.DOTALL)
INVENTED = "Invented Person"
ABOUT = {
    "entities": "entities",
    "verdict": "pairs",
    "relations": "relations",
    "description": "profiles",
    "claims": "judge",
}


def asked_about(call: Call) -> str:
    """What a call asks for: entities, pairs, relations, profiles or a verdict of the judge; "" for anything else."""
    return next((about for name, about in ABOUT.items() if name in (call.schema or {}).get("properties", {})), "")


def graph_answer(call: Call) -> str:
    """Answer fittingly. Entities are pairs of capitalised words, and two in one sentence know each other."""
    said = "\n".join(call.texts())
    text = next(iter(_DOCUMENT.findall(said)), "")
    match asked_about(call):
        case "entities":
            names = list(dict.fromkeys(_NAME.findall(text)))
            return _json("entities", [{"name": one, "type": "person", "aliases": []} for one in [*names, INVENTED]])
        case "pairs":
            names = re.findall(r"^name: (.*)$", said, re.MULTILINE)
            return json.dumps({"verdict": "same" if len(set(names)) == 1 else "different"})
        case "relations":
            return _json("relations", [*_relations(text), _relation(INVENTED, "Otto Nobody", "nothing of this")])
        case "profiles":
            return json.dumps({"description": " ".join(_PASSAGE.findall(said)[:1])})
        case _:
            return fitting_answer(call)


def _relations(text: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for sentence in _SENTENCE.findall(text):
        names = list(dict.fromkeys(_NAME.findall(sentence)))
        found += [_relation(names[0], other, sentence.strip()) for other in names[1:]]
    return found


def _relation(source: str, target: str, evidence: str) -> dict[str, str]:
    return {"source": source, "relation": "knows", "target": target, "evidence": evidence}


def _json(name: str, items: Any) -> str:
    return json.dumps({name: items})

"""The dashboard and the alert rules of docs/watching name only figures and labels that exist, and are what Grafana and
Prometheus read.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from io_managers.store.account import Account
from io_managers.store.account_metrics import metrics_of
from tests.support.served import TEXTS, served

DOCS = Path(__file__).resolve().parents[2] / "docs"
DASHBOARD = json.loads((DOCS / "watching" / "dashboard.json").read_text())
ALERTS = yaml.safe_load((DOCS / "watching" / "alerts.yml").read_text())
RULES: list[dict[str, Any]] = ALERTS["groups"][0]["rules"]
# What Prometheus and its node_exporter add.
TARGET = {"instance", "job"}
FOREIGN = {"node_textfile_mtime_seconds": {"file"}}
FUNCTIONS = {"sum", "max", "rate", "increase", "histogram_quantile", "time"}
KEYWORDS = {"by", "and", "or", "unless", "on", "ignoring"}
_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{([^{}]*)\})?")
_MATCHER = re.compile(r'\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Every figure that the file and the service give -> its labels."""
    account = Account("", "summaries", "m", 1, 1, 1, 1.0, 1, (1.0, 1.0, 1.0), {"answered": 1})
    text = metrics_of([account])
    folder = tmp_path_factory.mktemp("served")
    for name, content in TEXTS.items():
        path = folder / "corpus" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    with served(folder / "home", folder / "corpus") as service:
        service.client.get("/health")
        text += service.client.get("/metrics").text
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return {name: labels | TARGET for name, labels in found.items()} | {
        name: labels | TARGET for name, labels in FOREIGN.items()
    }


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    for panel in panels():
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for rule in RULES:
        yield rule["alert"], rule["expr"]


def problems(expression: str, figures: dict[str, set[str]]) -> list[str]:
    """What is wrong with an expression: brackets, names of figures and labels, what `by` names."""
    found = (
        []
        if all(expression.count(one) == expression.count(other) for one, other in ("()", "{}", "[]"))
        else ["brackets"]
    )
    grouped = [set(map(str.strip, names.split(","))) for names in re.findall(r"\bby \(([^()]*)\)", expression)]
    rest = re.sub(r"\bby \([^()]*\)", "", re.sub(r"\[[^\]]*\]", "", expression))
    used: set[str] = set()
    for name, matchers in _SELECTOR.findall(rest):
        if name in FUNCTIONS | KEYWORDS:
            continue
        if name not in figures:
            found.append(f"there is no figure {name}")
            continue
        used |= figures[name]
        left = _MATCHER.sub(lambda match, name=name: "" if match[1] in figures[name] else match[0], matchers)
        found += [f"{name} has no label in {left}"] if left.strip() else []
    found += [f"no figure has the label {label}" for labels in grouped for label in labels - used]
    return found


@pytest.mark.parametrize(("name", "expression"), list(expressions()), ids=[name for name, _ in expressions()])
def test_an_expression_names_only_what_is_exported(name: str, expression: str, figures: dict[str, set[str]]) -> None:
    assert problems(expression, figures) == []


@pytest.mark.parametrize(
    "expression",
    [
        "sum(seedbank_no_such_total)",
        'seedbank_model_usd_total{colour="red"}',
        "sum by (colour) (seedbank_model_usd_total)",
        "sum(increase(seedbank_model_usd_total[1h])",
        "summ(seedbank_model_usd_total)",
    ],
)
def test_a_wrong_expression_is_found(expression: str, figures: dict[str, set[str]]) -> None:
    """Guards against a check that accepts everything."""
    assert problems(expression, figures) != []


def test_every_figure_is_shown(figures: dict[str, set[str]]) -> None:
    shown = " ".join(expression for _, expression in expressions())
    ours = {name for name in figures if name.startswith("seedbank_") and not name.endswith(("_sum", "_created"))}
    assert {name for name in ours if name not in shown} == set()


def test_the_dashboard_is_what_grafana_imports() -> None:
    assert DASHBOARD["schemaVersion"] >= 36
    assert (DASHBOARD["uid"], DASHBOARD["title"]) == ("seedbank", "Seedbank")
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + across, place["y"] + down) for across in range(place["w"]) for down in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    for panel in panels():
        assert panel["type"] in ("stat", "timeseries")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["targets"]
        for target in panel["targets"]:
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= variables
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= set(
                re.findall(r"\w+", " ".join(re.findall(r"by \(([^()]*)\)", target["expr"])))
            )


def test_the_rules_are_what_prometheus_reads() -> None:
    assert set(ALERTS) == {"groups"}
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "1m"))
        grouped = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^()]*)\)", rule["expr"]))))
        assert set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values()))) <= grouped


def test_the_page_names_every_alert() -> None:
    named = re.findall(r"^\| `(Seedbank\w+)` \|", (DOCS / "watching.md").read_text(), re.MULTILINE)
    assert named == [rule["alert"] for rule in RULES]

"""What `seedbank dev` starts, and that Dagster's ways to run go on side by side: the daemon, the page, the shell, a seed.

What belongs here: what needs the daemon or the page, against the real processes. What does not: what a tick asks for
(test_automation), and ways to run that need neither (test_dagster_surfaces).

The tests share one `seedbank dev`, since starting it takes longer than most of them; it is started again where it ended.
"""

import json
import os
import signal
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import SensorInstigatorData

from event_log.home import open_instance
from io_managers.store.store import Store
from resources.ingestions.ingestion_requests import OPEN, Ingestion, IngestionRequests
from seed_assets.orchestration.asset_checks import CURRENT
from seed_assets.orchestration.ingestions import INGESTION_TAG
from tests.conftest import DOCUMENTS
from tests.orchestration.test_dagster_surfaces import MODULE, SHELL, Shell
from tests.orchestration.test_truth import SHOWN
from tests.support.http_service import answers, free_port
from tests.support.pipelines import ALONE, EVERY_STAGE, essay
from tests.support.seed_process import PATIENCE_SECONDS, ROOT, Finished, Seed, dagster_runs, query, rows, seedbank

pytestmark = [pytest.mark.integration, pytest.mark.long]

PARTITION, RANGE_START, RANGE_END, BACKFILL = (
    f"dagster/{name}" for name in ("partition", "asset_partition_range_start", "asset_partition_range_end", "backfill")
)
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
_POLL_SECONDS = 0.5


class Dev(Shell):
    """`seedbank dev` over a home and a corpus, and what its page says, asked for as the page does."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._process: Seed | None = None

    def begin(self) -> None:
        """Start the command, unless it is there already, as a shell does with `&` at its end: deaf to Ctrl-C."""
        if self._process is not None and self._process.process.poll() is not None:
            self.end()
        if self._process is None:
            arguments = ("dev", "--corpus", str(self.corpus), "--port", str(self._port))
            self._process = Seed(self.home, *arguments, before=_ignore_interrupts)

    def serve(self) -> None:
        """Start the command and wait for its page."""
        self.begin()
        self.until(self._answers, "the page")

    def processes(self) -> list[psutil.Process]:
        """The command and all that it has started."""
        assert self._process is not None
        leader = psutil.Process(self._process.process.pid)
        return [leader, *leader.children(recursive=True)]

    def stop(self, within_seconds: float) -> Finished:
        """Send SIGTERM and wait for the end. Raises TimeoutError."""
        assert self._process is not None
        self._process.send(signal.SIGTERM)
        return self._process.finish(within_seconds)

    def end(self) -> None:
        """`kill -9` of everything at once, runs as well, as a power cut does."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def until(self, reached: Callable[[], bool], what: str) -> None:
        """Wait for something to be seen."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            assert time.monotonic() < deadline, f"{what} did not come: {self.runs() if self._answers() else 'no page'}"
            time.sleep(_POLL_SECONDS)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer to a query of GraphQL."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self._address}/graphql", body, {"Content-Type": "application/json"})
        answer = json.load(urllib.request.urlopen(request, timeout=60))
        assert "errors" not in answer, answer
        return answer["data"]

    def materialize(self, stages: Sequence[str], tags: Mapping[str, str]) -> str:
        """What the Materialize button sends for one partition; the run."""
        params = {
            "selector": {
                **self._repository,
                "pipelineName": "__ASSET_JOB",
                "assetSelection": _keys(stages),
                "assetCheckSelection": [],
            },
            "runConfigData": "{}",
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        launched = self.ask(_LAUNCH, params=params)["launchPipelineExecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return launched["run"]["runId"]

    def backfill(self, assets: Sequence[str], documents: Sequence[str]) -> str:
        """What the Materialize button sends for several partitions; the backfill."""
        params = {"assetSelection": _keys(assets), "partitionNames": documents, "fromFailure": False}
        launched = self.ask(_BACKFILL, params=params)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return launched["backfillId"]

    def switch_on(self, sensor: str) -> None:
        """What its switch on the automation page sends."""
        started = self.ask(_START, selector={**self._repository, "sensorName": sensor})["startSensor"]
        assert started["__typename"] == "Sensor", started

    def runs(self, since: float = 0) -> list[dict[str, Any]]:
        """The runs that were made since a time, oldest first; tags: by key."""
        found = self.ask(_RUNS)["runsOrError"]["results"]
        return [
            {**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}}
            for run in reversed(found)
            if run["creationTime"] >= since
        ]

    def ended(self, *run_ids: str) -> bool:
        """Whether these runs, all if none is named, have ended."""
        return all(run["status"] in _ENDED for run in self.runs() if not run_ids or run["runId"] in run_ids)

    def at_rest(self, since: float) -> bool:
        """Whether every sensor has looked since then, and since the last run ended, and found nothing to do."""
        runs = self.runs()
        if any(run["status"] not in _ENDED for run in runs):
            return False
        latest = max([since, *(run["endTime"] or 0 for run in runs)])
        for sensor in ("watch_corpus", "follow_documents"):
            found = self.ask(_TICKS, selector={**self._repository, "sensorName": sensor})
            (tick,) = found["sensorOrError"]["sensorState"]["ticks"] or [None]
            if tick is None or tick["timestamp"] < latest or not (tick["skipReason"] or "").startswith("Nothing to do"):
                return False
        return True

    def hasten(self) -> None:
        """As if the sensors' intervals had passed: the daemon, which looks every five seconds, takes their ticks."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SEEDBANK_HOME", str(self.home))
            with open_instance() as instance:
                for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR):
                    data = state.instigator_data
                    assert isinstance(data, SensorInstigatorData)
                    if (data.last_tick_start_timestamp or 0) <= (data.last_tick_timestamp or 0):  # no tick is under way
                        never = data._replace(last_tick_timestamp=None, last_tick_start_timestamp=None)
                        instance.update_instigator_state(state.with_data(never))

    def rest(self) -> None:
        """Wait until the sensors find nothing to do any more."""
        since = time.time()

        def reached() -> bool:
            self.hasten()
            return self.at_rest(since)

        self.until(reached, "rest")

    def computed(self, since: float) -> Counter[tuple[str, str]]:
        """How often a stage's result for a document was computed since then, not reused, as the pages have it."""
        found: Counter[tuple[str, str]] = Counter()
        for asset in self.ask(_MATERIALIZATIONS, keys=_keys(EVERY_STAGE))["assetNodes"]:
            for made in asset["assetMaterializations"]:
                shown = {entry["label"]: entry.get("boolValue") for entry in made["metadataEntries"]}
                if float(made["timestamp"]) >= since * 1000 and not shown["reused"]:
                    found[asset["assetKey"]["path"][0], made["partition"]] += 1
        return found

    def computed_alone(self, since: float) -> Counter[tuple[str, str]]:
        """The same, without where documents stand among the others."""
        return Counter({key: count for key, count in self.computed(since).items() if key[0] in ALONE})

    def shown(self) -> dict[str, dict[str, str]]:
        """Document -> stage -> what the partition page shows."""
        found: dict[str, dict[str, str]] = {}
        for asset in self.ask(_PAGE, keys=_keys(EVERY_STAGE))["assetNodes"]:
            for word, key in (("materialized", "materialized"), ("failed", "failed"), ("missing", "unmaterialized")):
                for document in asset["assetPartitionStatuses"][f"{key}Partitions"]:
                    found.setdefault(document, {})[asset["assetKey"]["path"][0]] = word
        return found

    def not_fresh(self) -> dict[tuple[str, str], str]:
        """(asset, partition) -> what the page says of it, of all that it does not call fresh."""
        found: dict[tuple[str, str], str] = {}
        for asset in self.ask(_ASSETS)["assetNodes"]:
            (name,), keys = asset["assetKey"]["path"], asset["partitionKeys"]
            key = {"path": [name]}
            # Dagster refuses to be asked by partition about an asset without partitions.
            answer = self.ask(_STALE_BY_PARTITION, key=key, partitions=keys) if keys else self.ask(_STALE, key=key)
            (statuses,) = answer["assetNodeOrError"].values()
            statuses = statuses if keys else [statuses]
            found |= {(name, at): says for at, says in zip(keys or [""], statuses, strict=True) if says != "FRESH"}
        return found

    def remove(self, name: str) -> None:
        """Remove a document from the corpus and the knowledge base, for the tests after this one."""
        (self.corpus / name).unlink()
        self.seed()

    def failures(self, run_ids: Iterable[str]) -> list[str]:
        """What the logs of these runs say of failures."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SEEDBANK_HOME", str(self.home))
            with open_instance() as instance:
                events = [entry.dagster_event for run_id in run_ids for entry in instance.all_logs(run_id)]
        return [str(event) for event in events if event is not None and event.is_failure]

    def status(self) -> dict[str, Any]:
        """What `seedbank status --json` says."""
        return seedbank(self.home, "status", "--json").report

    @property
    def port(self) -> int:
        """Where its page is, a port that was free."""
        return self._port

    @property
    def _address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.process.poll() is None, self._process.finish().printed()
        try:
            urllib.request.urlopen(f"{self._address}/server_info", timeout=5).read()
        except OSError:
            return False
        return True

    @cached_property
    def _repository(self) -> dict[str, str]:
        (found,) = self.ask(_REPOSITORIES)["repositoriesOrError"]["nodes"]
        return {"repositoryName": found["name"], "repositoryLocationName": found["location"]["name"]}


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _keys(stages: Sequence[str]) -> list[dict[str, list[str]]]:
    return [{"path": [stage]} for stage in stages]


_REPOSITORIES = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
_LAUNCH = """mutation Launch($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }"""
_BACKFILL = """mutation Backfill($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on Error { message } } }"""
_START = """mutation Start($selector: SensorSelector!) { startSensor(sensorSelector: $selector) {
    __typename ... on Error { message } } }"""
_RUNS = """{ runsOrError(limit: 1000) { ... on Runs { results { runId status jobName creationTime startTime endTime
    assetSelection { path } tags { key value } } } } }"""
_TICKS = """query Ticks($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) { ... on Sensor {
    sensorState { ticks(limit: 1) { timestamp skipReason } } } } }"""
_MATERIALIZATIONS = """query Materializations($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) { assetKey { path }
    assetMaterializations(limit: 1000) { partition timestamp
        metadataEntries { label ... on TextMetadataEntry { text } ... on BoolMetadataEntry { boolValue } } } } }"""
_PAGE = """query Page($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) { assetKey { path }
    assetPartitionStatuses { ... on DefaultPartitionStatuses {
        materializedPartitions failedPartitions unmaterializedPartitions materializingPartitions } } } }"""
_PARTITION = """query Partition($key: AssetKeyInput!, $partition: String!) { assetNodeOrError(assetKey: $key) {
    ... on AssetNode { assetMaterializations(partitions: [$partition], limit: 1) {
        metadataEntries { label ... on TextMetadataEntry { text } ... on BoolMetadataEntry { boolValue } } } } } }"""
_ASSETS = "{ assetNodes { assetKey { path } partitionKeys } }"
_STALE = "query Stale($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { staleStatus } } }"
_STALE_BY_PARTITION = """query Stale($key: AssetKeyInput!, $partitions: [String!]) { assetNodeOrError(assetKey: $key) {
    ... on AssetNode { staleStatusByPartition(partitions: $partitions) } } }"""
_CHECKS = """query Checks($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
    assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization { status } } } } } } }"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """The command, begun before its home is seeded: the two make the home at the same time."""
    dev = Dev(tmp_path_factory.mktemp("daemon"))
    dev.plant()
    try:
        dev.begin()
        seeded = dev.seed()
        assert seeded.status == 0, seeded.printed()
        yield dev
    finally:
        dev.end()


@pytest.fixture
def dev(started: Dev) -> Dev:
    """The command over a seeded home; its page answers."""
    started.serve()
    return started


def _agree(dev: Dev) -> None:
    """The partition page shows what `seedbank status` says, and that is: all is done."""
    states = dev.status()["documents"]
    expected = {
        document: {stage: SHOWN[state] for stage, state in stages.items()} for document, stages in states.items()
    }
    assert dev.shown() == expected
    assert {state for stages in states.values() for state in stages.values()} == {"current"}
    assert dev.not_fresh() == {}
    after = dev.seed()
    assert after.report["runs"] == [], after.printed()


def test_an_ingestion_outlives_the_service_that_was_asked_for_it(dev: Dev) -> None:
    """A run that were a child of the service would end with it, and whoever asked would never hear of it again."""
    dev.write("reefs/urchins.txt", essay("urchins"))
    port = free_port()
    with Seed(dev.home, "serve", "--port", str(port)) as service:
        assert service.wait_until(lambda: answers(port))
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/ingest/start", b"", method="POST")
        ingestion_id = json.load(urllib.request.urlopen(asked, timeout=60))["ingestion"]["ingestion_id"]
        service.kill()
    requests = IngestionRequests(dev.home / "ingestions.db")

    def state() -> str:
        dev.hasten()
        found = requests.get(ingestion_id)
        assert found is not None
        return found.state

    dev.until(lambda: state() not in OPEN, "the end of the ingestion")

    done = requests.get(ingestion_id)
    assert done is not None
    assert done.state == "succeeded", done
    tagged = {run["runId"]: run for run in dev.runs() if run["tags"].get(INGESTION_TAG) == ingestion_id}
    assert [run.run_id for run in done.runs] == list(tagged)
    assert {run["status"] for run in tagged.values()} == {"SUCCESS"}, dev.failures(tagged)
    assert "reefs/urchins.txt" in dev.status()["documents"]
    assert dev.seed().report["runs"] == []
    dev.remove("reefs/urchins.txt")


def test_a_run_of_an_ingestion_is_asked_to_stop_through_dagster(dev: Dev) -> None:
    dev.write("reefs/sponges.txt", essay("sponges"))
    requests = IngestionRequests(dev.home / "ingestions.db")
    made = requests.request()
    assert made is not None

    def now() -> Ingestion:
        dev.hasten()
        found = requests.get(made.ingestion_id)
        assert found is not None
        return found

    dev.until(lambda: now().state == "running", "the first run of the ingestion")
    requests.cancel(made.ingestion_id)
    dev.until(lambda: now().state == "cancelled", "the end of the ingestion")
    runs = [run for run in dev.runs() if run["tags"].get(INGESTION_TAG) == made.ingestion_id]
    # Dagster calls a run a failure that was stopped between two steps, and a slow machine may have let it finish.
    assert len(runs) <= 1
    assert {run["status"] for run in runs} <= _ENDED
    assert dev.seed().status == 0
    dev.remove("reefs/sponges.txt")


def test_the_materialize_button_runs_the_same_code(dev: Dev) -> None:
    """The run's own process finds the home, and its partition page says what it did; seed does the rest, and only that."""
    dev.write("reefs/fish.txt", "A note about ash. It falls far from its vent.\n")

    run = dev.materialize(["extracted_text", "summaries"], {PARTITION: "reefs/fish.txt"})
    dev.until(lambda: dev.ended(run), "the run's end")

    assert {found["status"] for found in dev.runs() if found["runId"] == run} == {"SUCCESS"}
    page = dev.ask(_PARTITION, key={"path": ["summaries"]}, partition="reefs/fish.txt")
    (materialization,) = page["assetNodeOrError"]["assetMaterializations"]
    entries = materialization["metadataEntries"]
    shown = {entry["label"]: entry.get("text", entry.get("boolValue")) for entry in entries}
    assert "ash" in shown["preview"]
    assert shown["content_digest"].startswith("sha256:")
    assert shown["reused"] is False
    assert shown["computed_because"] == "The result of `extracted_text` changed"
    computed = dev.seed().computed
    assert "summaries" not in computed
    assert computed["lance_documents"] == 1


def test_every_way_at_once_computes_each_result_once(dev: Dev) -> None:
    """A backfill of everything in the UI, one of a job, a range from the shell and a seed, over six changed documents.

    The first makes a run a contiguous range, the second one a document; both wait for the daemon, which starts two.
    """
    since = time.time()
    for document in DOCUMENTS:
        dev.write(document, essay(f"{Path(document).stem} again"))
    first, second, third, fourth, *_, last = DOCUMENTS
    in_ui = dev.backfill([*ALONE, "search_index"], [first, second, fourth])
    job = ("job", "backfill", "-w", "workspace.yaml", "-j", "seed_documents", "--noprompt")
    where = {"DAGSTER_HOME": str(ROOT)}  # a backfill asks for it; the others find the home without
    with ExitStack() as stack:
        begun = [
            stack.enter_context(Seed(dev.home, *arguments, program=program, environment=where))
            for program, arguments in (
                (SHELL, (*job, "--partitions", f"{first},{last}")),
                (
                    SHELL,
                    (
                        "asset",
                        "materialize",
                        *MODULE,
                        "--select",
                        ",".join(ALONE),
                        "--partition-range",
                        f"{third}...{last}",
                    ),
                ),
                (("-m", "cli.main"), ("seed", "--json")),
            )
        ]
        for finished in [command.finish() for command in begun]:
            assert finished.status == 0, finished.printed()

    def over() -> bool:
        runs = [run for run in dev.runs(since) if run["tags"].get(BACKFILL) == in_ui]
        return dev.ended() and any(_selected(run) == {"search_index"} for run in runs)

    dev.until(over, "the end of all runs")

    runs = dev.runs(since)
    assert {run["status"] for run in runs} == {"SUCCESS"}
    of_ui = [run for run in runs if run["tags"].get(BACKFILL) == in_ui]
    of_job = [run for run in runs if run["tags"].get(BACKFILL) not in (None, in_ui)]
    ranges = sorted((run["tags"].get(RANGE_START, ""), run["tags"].get(RANGE_END, "")) for run in of_ui)
    assert ranges == [("", ""), (first, second), (fourth, fourth)]
    assert sorted(run["tags"][PARTITION] for run in of_job) == [first, last]
    assert _most_at_once([*of_ui, *of_job]) <= 2
    assert dev.computed_alone(since) == {(stage, document): 1 for stage in ALONE for document in DOCUMENTS}
    # Where they stand was looked at by the seed, while the others went on.
    assert not dev.seed().computed.keys() & set(ALONE)
    _agree(dev)


def test_a_backfill_in_which_nothing_changed_leaves_nothing_stale(dev: Dev) -> None:
    """Everything made from three documents was called stale, and neither a seed nor anything besides cleared it.

    Each backfill has a run of one document and one of a range.
    """
    dev.seed()
    assert dev.not_fresh() == {}

    since = time.time()
    for assets in (["extracted_text", "concepts", "judgements"], list(ALONE)):
        backfill = dev.backfill(assets, [DOCUMENTS[0], DOCUMENTS[3], DOCUMENTS[4]])
        dev.until(lambda backfill=backfill: _ran(dev, backfill) == 2, "the runs of the backfill")
    clusters = dev.materialize(["clusters"], {PARTITION: "topic"})
    corpus = dev.materialize(["categories"], {})
    dev.until(lambda: dev.ended(clusters, corpus), "the end of the runs")

    assert {run["status"] for run in dev.runs(since)} == {"SUCCESS"}
    assert dev.not_fresh() == {}
    assert dev.seed().computed == {}
    _agree(dev)


def _ran(dev: Dev, backfill: str) -> int:
    """How many runs of a backfill have ended."""
    return sum(run["tags"].get(BACKFILL) == backfill and run["status"] in _ENDED for run in dev.runs())


def _selected(run: Mapping[str, Any]) -> set[str]:
    return {key["path"][0] for key in run["assetSelection"] or ()}


def _most_at_once(runs: Sequence[Mapping[str, Any]]) -> int:
    return max(sum(run["startTime"] <= at["startTime"] < run["endTime"] for run in runs) for at in runs)


def test_the_folder_is_followed_across_a_power_cut(dev: Dev) -> None:
    """With the sensor on: everything dies in the middle of the run over a new and a changed document.

    A third document is removed before it is all started again.
    """
    since = time.time()
    dev.switch_on("watch_corpus")
    dev.write("reefs/new.txt", essay("anemones"))
    dev.write("reefs/corals.txt", essay("polyps"))

    def asked() -> bool:
        dev.hasten()
        return bool(dev.runs(since))

    # The run waits for the table, so that the power cut comes before its end, whatever else the machine does.
    with closing(Store(dev.home / "store")) as store, store.leases.hold("table documents"):
        dev.until(asked, "the run")
        dev.until(lambda: "extracted_text" in _published(dev.home, "reefs/new.txt"), "the text of the new document")
        dev.end()
    assert "lance_documents" not in _published(dev.home, "reefs/new.txt")
    (cut,) = [run for run, status in dagster_runs(dev.home).items() if status == "STARTED"]
    (dev.corpus / "bread/flour.md").unlink()

    dev.serve()
    dev.rest()

    assert dagster_runs(dev.home)[cut] == "FAILURE"
    states = dev.status()["documents"]
    assert set(states) == {*DOCUMENTS, "reefs/new.txt"} - {"bread/flour.md"}
    assert set(rows(dev.home)["documents"]["document_id"].to_pylist()) == set(states)
    computed = dev.computed_alone(since)
    assert {document for _, document in computed} == {"reefs/new.txt", "reefs/corals.txt"}
    assert max(computed.values()) == 1
    checks = dev.ask(_CHECKS, key={"path": ["search_index"]})["assetNodeOrError"]["assetChecksOrError"]["checks"]
    assert (CURRENT, "SUCCEEDED") in [(c["name"], c["executionForLatestMaterialization"]["status"]) for c in checks]
    _agree(dev)


def _published(home: Path, document: str) -> set[str]:
    """The stages whose result for a document is published."""
    return {s for s, d in query(home / "store" / "store.db", "SELECT stage, partition FROM refs") if d == document}


def test_it_ends_on_request_and_leaves_nothing_running(dev: Dev) -> None:
    """Nor does it say, as Dagster does without a DAGSTER_HOME, that what it stores is temporary."""
    processes = dev.processes()
    assert len(processes) > 2

    stopped = dev.stop(within_seconds=120)

    assert stopped.status == 0, stopped.printed()
    _, alive = psutil.wait_procs(processes, timeout=120)
    assert alive == []
    assert "emporary" not in stopped.output + stopped.errors
    assert os.listdir(dev.home / "dagster")

"""What a home and a worker with a home of its own hand each other for one run, over the remote that they share.

The home leaves its refs and failures of the documents, so that the worker sees them as the home does: what is published, what is
kept although a model has changed, what has failed for good. The worker pushes its results and leaves the refs and failures that
the run has made. Both use a ref only if its action is there.

What belongs here: what is handed over, and taking it in. What does not: when (orchestration.spread_runs, spreading.remote_run),
and the form of the files (io_managers.sharing.run_records).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet

from io_managers.sharing.pushing import push
from io_managers.sharing.remote import Remote
from io_managers.sharing.run_records import RunRecord
from io_managers.store.errors import RemoteError
from io_managers.store.refs import Ref
from io_managers.store.store import Store
from resources.errors import ConfigurationError
from seed_assets.graph.pipeline import Phase, Pipeline
from seed_assets.graph.stage import Stage
from seed_assets.session.session import Session
from seed_assets.session.sharing import pull


def check_remote(session: Session) -> None:
    """Raise ConfigurationError if workers on other machines could not share what they compute."""
    rules = session.settings.store
    if not rules.remote or rules.remote_access in ("read", "off"):
        raise ConfigurationError(
            "Workers on other machines and the home that they work for cannot share results: set store.remote to a bucket that "
            "all of them reach, store.signing_key, and store.trusted_keys with the keys of the others (`seedbank cache keygen` "
            'makes them), and not store.remote_access = "read" or "off".'
        )


def check_no_batches(session: Session) -> None:
    """Raise ConfigurationError if requests would be in batches, which only the home that has sent them can wait for."""
    if batched := session.pipeline.batched:
        raise ConfigurationError(
            f"deployment.broker_url is set, and llm.batch puts requests of {', '.join(batched)} into batches. A batch belongs to "
            "the home that has sent it, so workers elsewhere can wait for none: set llm.batch to off, or broker_url to nothing."
        )


def check_examples(session: Session) -> None:
    """Raise ConfigurationError if workers on other machines could not show the same examples."""
    examples = session.settings.examples
    if not examples.show:
        return
    if examples.file_path is None:
        raise ConfigurationError(
            "deployment.broker_url is set, and examples.show has models see examples. Those in this home are unknown to workers "
            "elsewhere: set examples.file to a file that is the same on all machines."
        )
    if not examples.file_path.exists():
        raise ConfigurationError(
            f"{examples.file_path} (examples.file) is not there. Copy it from the machine on which `seedbank examples freeze` "
            "has written it."
        )


DEPLOYMENT_CHECKS: Sequence[Callable[[Session], None]] = (check_remote, check_no_batches, check_examples)
"""What has to hold before runs are done by workers with homes of their own. Each raises ConfigurationError, and sends nothing."""


def spread_stages(pipeline: Pipeline) -> list[Stage]:
    """The stages that workers elsewhere can do: the values of documents. Tables belong to the home."""
    return [stage for stage in pipeline.of_phase(Phase.DOCUMENTS) if stage.kind == "value"]


def shared_remote(session: Session) -> Remote:
    """The remote that the workers share. Raises ConfigurationError if there is none, or it cannot be read."""
    for check in DEPLOYMENT_CHECKS:
        check(session)
    remote = session.remote
    if remote is None:
        raise ConfigurationError(f"The home {session.settings.home} cannot be written, so it has no remote.")
    pull(remote, again=False)
    return remote


def push_results(session: Session, remote: Remote) -> None:
    """Push what the remote does not have. Raises ConfigurationError if it cannot be written."""
    try:
        push(session.store, remote, session.settings.store.private_stages)
    except RemoteError as error:
        raise ConfigurationError(str(error)) from error


def state_of(session: Session, documents: Collection[str]) -> RunRecord:
    """What is published, and what has failed, for these documents in the stages that are done elsewhere."""
    names = [stage.name for stage in spread_stages(session.pipeline)]
    refs = [ref for name in names for ref in session.store.refs.get(name, documents).values()]
    return RunRecord(refs, session.store.failures.of(documents))


def result_of(session: Session, run_id: str, documents: Collection[str], since: float) -> RunRecord:
    """What a run has published, and what has failed for its documents since its start (in seconds since 1970)."""
    failures = [one for one in session.store.failures.of(documents) if one.failed_at >= since]
    return RunRecord(session.store.refs.of_run(run_id), failures)


def take_in(pipeline: Pipeline, store: Store, record: RunRecord, documents: AbstractSet[str]) -> int:
    """Publish the refs of a record whose actions are in the store or its remote, and record its failures.

    documents: those that the record may be about. Returns how many refs were published.
    """
    names = {stage.name for stage in spread_stages(pipeline)}
    refs = [ref for ref in record.refs if ref.stage in names and ref.partition in documents and not ref.state]
    known = _known(store, refs)
    store.refs.publish(known)
    failures = [one for one in record.failures if one.partition in documents]
    if failures:
        store.failures.record(failures)
    return len(known)


def _known(store: Store, refs: Sequence[Ref]) -> list[Ref]:
    """The refs whose actions are in the store, with the same results; those of the remote are taken over."""
    found = store.actions.lookup(_keys(refs))
    return [
        ref for ref in refs if ref.action_key in found and found[ref.action_key].content_digest == ref.content_digest
    ]


def _keys(refs: Iterable[Ref]) -> set[str]:
    return {ref.action_key for ref in refs}

"""The files of deploy/: what can be known of them without Docker, a cluster or root.

What belongs here: their form, their references to each other, and what must not be in them. What does not: that the processes
which they start work together (test_machines).
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._core.instance.ref import InstanceRef
from dagster._core.workspace.load import location_origins_from_yaml_paths

from resources.settings.config import PREFIX, Settings, load_settings
from resources.settings.config_errors import setting_names, variable_name
from tests.support.doc_commands import doc_commands
from tests.support.seed_process import ROOT

DEPLOY = ROOT / "deploy"
PAGE = (ROOT / "docs" / "deploying.md").read_text()
OURS = ("code", "webserver", "daemon", "worker")
# The programs of docs/deploying.md that only a server has, and why they are not run here.
NOT_HERE = {
    "docker": "no daemon of Docker",
    "kubectl": "no cluster",
    "helm": "no cluster",
    "systemctl": "no system manager for units",
    "cp": "a part of the commands for Docker",
    "chmod": "a part of the commands for Docker",
    "export": "the variables of the commands for a bucket",
}
# The keys of Dagster's chart that values.yaml uses, from helm/dagster/schema/schema/charts in Dagster's repository.
_POD = {"image", "envSecrets", "podSecurityContext", "securityContext", "resources", "volumes", "volumeMounts"}
CHART: dict[str, set[str]] = {
    "global": {
        "postgresqlSecretName",
        "dagsterHome",
        "serviceAccountName",
        "celeryConfigSecretName",
        "dagsterInstanceConfigMap",
    },
    "dagster-user-deployments": {"enabled", "enableSubchart", "imagePullSecrets", "deployments"},
    "dagsterWebserver": _POD | {"replicaCount", "service", "workspace", "env", "envConfigMaps", "enableReadOnly"},
    "dagsterDaemon": _POD | {"enabled", "runCoordinator", "heartbeatTolerance", "env", "runMonitoring", "runRetries"},
    "postgresql": {"enabled", "postgresqlHost", "postgresqlUsername", "postgresqlDatabase", "service"},
    "rabbitmq": {"enabled", "image", "rabbitmq", "service", "volumePermissions"},
    "redis": {"enabled", "internal", "usePassword", "password", "host", "port", "brokerDbNumber", "backendDbNumber"},
    "flower": {"enabled", "image", "service"},
    "generatePostgresqlPasswordSecret": set(),
    "generateCeleryConfigSecret": set(),
}
DEPLOYMENT = _POD | {"name", "port", "dagsterApiGrpcArgs", "codeServerArgs", "env", "envConfigMaps", "labels"}
# Of the Compose specification, those that are in use.
COMPOSE = {
    *(
        "image",
        "restart",
        "read_only",
        "tmpfs",
        "cap_drop",
        "security_opt",
        "stop_grace_period",
        "environment",
        "depends_on",
    ),
    *("command", "entrypoint", "volumes", "healthcheck", "ports", "deploy", "hostname"),
}
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY$|_URL$|_PASS$|API_KEY")
REFERENCE = re.compile(r"\$\{(\w+)(?::[?-][^}]*)?\}")


def _yaml(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


def _documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def _workers() -> int:
    return _yaml("dagster.yaml")["concurrency"]["runs"]["max_concurrent_runs"]


def _variables() -> set[str]:
    return {variable_name(path, PREFIX) for path, _ in setting_names(Settings)}


def test_dagster_accepts_the_instance_and_the_workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A key that Dagster does not know ends every process at its start."""
    monkeypatch.setenv("DAGSTER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    shutil.copy(DEPLOY / "dagster.yaml", tmp_path)
    reference = InstanceRef.from_dir(str(tmp_path))
    assert type(reference.run_launcher).__name__ == "SeedbankCeleryRunLauncher"
    (origin,) = location_origins_from_yaml_paths([str(DEPLOY / "workspace.yaml")])
    assert origin.location_name == "seedbank"


def test_the_settings_are_valid_and_have_as_many_workers_as_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer runs than workers some are idle; with more, runs wait in the broker until they count as lost."""
    monkeypatch.setenv("SEEDBANK_CONFIG", str(DEPLOY / "seedbank.toml"))
    assert load_settings().deployment.workers == _workers()
    assert _yaml("compose.yaml")["services"]["worker"]["deploy"]["replicas"] == _workers()
    (workers,) = [one for one in _documents("kubernetes/workers.yaml") if one["kind"] == "StatefulSet"]
    assert workers["spec"]["replicas"] == _workers()


def test_compose_services_are_whole_and_have_no_privileges() -> None:
    """A key that is misspelled is refused only when everything is started; a missing limit is found never."""
    compose = _yaml("compose.yaml")
    services = compose["services"]
    for name, service in services.items():
        assert service.keys() <= COMPOSE, name
        assert service["image"].partition("@")[0].rpartition(":")[2] not in ("latest", ""), name
        assert service.get("depends_on", {}).keys() <= services.keys(), name
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other], (
                f"{name} waits for {other}"
            )
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source.startswith(("/", "$")) or source in compose["volumes"], f"{name}: {volume}"
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), f"{name} is open to the network"
    for name in OURS:
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert services["code"]["volumes"][0] == "home:/var/lib/seedbank"
    assert "home:" not in str(services["worker"]["volumes"]), "a worker has a home of its own"


def test_secrets_are_references_and_the_example_names_them_all() -> None:
    """A password in a file of the repository is one that everybody has."""
    text = (DEPLOY / "compose.yaml").read_text()
    example = dict(
        line.split("=", 1) for line in (DEPLOY / "env.example").read_text().splitlines() if re.match(r"\w+=", line)
    )
    assert set(REFERENCE.findall(text)) == example.keys()
    assert [name for name, value in example.items() if SECRET.search(name) and value] == []
    for name, service in _yaml("compose.yaml")["services"].items():
        for variable, value in service.get("environment", {}).items():
            assert not SECRET.search(variable) or REFERENCE.search(value) or variable == "AWS_ENDPOINT_URL", (
                f"{name} has {variable} as it is"
            )
    for path in _files():
        assert not re.search(r"(secret:[0-9a-f]{64}|sk-[A-Za-z0-9]{8})", path.read_text()), path


def test_every_setting_that_a_file_names_exists() -> None:
    """A variable that no setting reads is refused at the start, and in a page it misleads."""
    for path in [*_files(), ROOT / "docs" / "deploying.md"]:
        named = set(re.findall(r"\bSEEDBANK_[A-Z_]+\b", path.read_text())) - {"SEEDBANK_CONFIG"}
        assert named <= _variables(), path
    settings = {".".join(path) for path, _ in setting_names(Settings)}
    named = set(re.findall(r"`((?:deployment|store|limits|budget|llm)\.\w+)`", PAGE))
    assert named <= settings


def _files() -> Iterator[Path]:
    return (path for path in DEPLOY.rglob("*") if path.is_file())


def test_the_image_has_no_builder_no_root_and_nothing_unchecked() -> None:
    """What only the build needs, and a process as root, are what an intruder would use."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    names = [name for name, _ in lines]
    stages = [place for place, name in enumerate(names) if name == "FROM"]
    assert len(stages) == 2
    for place in stages:
        image = lines[place][1].split()[0]
        assert ":" in image
        assert not image.endswith(":latest")
    last = lines[stages[-1] :]
    assert names.count("ADD") == 0
    user = [value for name, value in last if name == "USER"]
    assert user == ["10001:10001"], "Kubernetes can check a number only"
    assert [name for name, _ in last].index("USER") < [name for name, _ in last].index("CMD")
    for name, value in lines:
        if name in ("ENV", "ARG"):
            assert not re.search(r"PASSWORD|SECRET|TOKEN|API_KEY", value)
        if name == "RUN" and "pip install" in value and "--no-deps" not in value:
            assert "--require-hashes" in value
        if name == "CMD":
            assert value.startswith("["), "a shell would not pass signals on"


def test_the_image_is_built_from_what_the_ignore_file_lets_in() -> None:
    """A file that is left out breaks the build; one that is let in by mistake may be a secret."""
    rules = [
        line for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] not in ("#", "")
    ]
    assert rules[0] == "*"
    let_in = [rule[1:] for rule in rules if rule.startswith("!")]
    assert [name for name in let_in if not (ROOT / name).exists()] == []
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    wanted = [name for line in copied for name in line.split() if name != "."]
    assert [name for name in wanted if not any(fnmatch(name, rule) for rule in let_in)] == []
    built = (
        "pyproject.toml",
        "hatch_build.py",
        "README.md",
        "LICENSE",
        "dagster.yaml",
        "workspace.yaml",
        "sample_corpus",
    )
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert {*built, *packages} <= set(let_in)


def test_the_lock_of_the_image_has_the_packages_of_its_extras() -> None:
    """The image would start, and fail at the first message, event or result."""
    locked = (ROOT / "requirements-deploy.lock").read_text()
    for name in ("celery", "kombu", "dagster-postgres", "obstore", "redis", "dagster", "hatchling"):
        assert re.search(rf"^{name}==", locked, re.MULTILINE), name
    developed = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE))
    deployed = dict(re.findall(r"^([\w.-]+)==(\S+)", locked, re.MULTILINE))
    assert {name for name, version in deployed.items() if developed.get(name) != version} == set()


def test_the_values_are_keys_of_the_chart() -> None:
    """Helm ignores a key that it does not know, and the default is used."""
    values = _yaml("kubernetes/values.yaml")
    assert values.keys() <= CHART.keys()
    for name, allowed in CHART.items():
        if allowed and name in values:
            assert values[name].keys() <= allowed, name
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert deployment.keys() <= DEPLOYMENT
    for pod in (deployment, values["dagsterWebserver"], values["dagsterDaemon"]):
        _has_no_privileges(pod["podSecurityContext"], pod["securityContext"])
        assert {mount["name"] for mount in pod["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert values["global"]["dagsterInstanceConfigMap"] in PAGE
    assert f"--version {_dagster_release()}" in PAGE


def _dagster_release() -> str:
    found = re.search(r'"dagster==([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert found
    return found[1]


def _has_no_privileges(pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert pod["runAsNonRoot"] is True
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_workers_of_kubernetes_have_what_they_mount() -> None:
    """A pod with a volume that nobody defines waits for ever."""
    objects = _documents("kubernetes/workers.yaml")
    claims = {one["metadata"]["name"] for one in objects if one["kind"] == "PersistentVolumeClaim"}
    (workers,) = [one for one in objects if one["kind"] == "StatefulSet"]
    template = workers["spec"]["template"]
    assert workers["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    pod = template["spec"]
    (container,) = pod["containers"]
    volumes = {volume["name"] for volume in pod["volumes"]}
    own = {claim["metadata"]["name"] for claim in workers["spec"]["volumeClaimTemplates"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes | own
    named = {v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"] if "persistentVolumeClaim" in v}
    (deployment,) = _yaml("kubernetes/values.yaml")["dagster-user-deployments"]["deployments"]
    named |= {v["persistentVolumeClaim"]["claimName"] for v in deployment["volumes"] if "persistentVolumeClaim" in v}
    assert named == claims
    _has_no_privileges(pod["securityContext"], container["securityContext"])
    assert container["command"] == ["seedbank", "worker"]
    image = deployment["image"]
    assert container["image"] == f"{image['repository']}:{image['tag']}"


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """A misspelled line is ignored, and a protection is missing."""
    units = sorted((DEPLOY / "systemd").glob("*.service"))
    programs = tmp_path / "bin"
    programs.mkdir()
    for unit in units:
        text = unit.read_text()
        for program in re.findall(r"^ExecStart=/opt/seedbank/bin/(\S+)", text, re.MULTILINE):
            shutil.copy("/bin/true", programs / program)
        (tmp_path / unit.name).write_text(text.replace("/opt/seedbank/bin", str(programs)))
        for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "User=seedbank", "UMask=0077"):
            assert line in text.splitlines(), unit.name
    names = [str(tmp_path / unit.name.replace("@", "@1")) for unit in units]
    for name, unit in zip(names, units, strict=True):
        if not Path(name).exists():
            shutil.copy(tmp_path / unit.name, name)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True, cwd=tmp_path
    )
    about_ours = [line for line in done.stderr.splitlines() if "seedbank" in line]
    assert about_ours == [], done.stderr
    started = {match for unit in units for match in re.findall(r"seedbank-[\w]+", unit.stem)}
    assert {name.partition("@")[0] for name in re.findall(r"seedbank-\w+", _block("systemctl"))} == started


def test_every_command_of_the_page_is_run_or_needs_a_server() -> None:
    """A page that nobody tries is wrong after the next change."""
    shown = [
        line for block in re.findall(r"^```\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) for line in block.splitlines()
    ]
    commands = [line for line in shown if re.match(r"^(\.venv/bin/)?[a-z_-]+ [\w./-]", line)]
    elsewhere = {command.line for command in doc_commands()}
    assert len(commands) > len(NOT_HERE)
    for line in commands:
        assert line in elsewhere or line.split()[0] in NOT_HERE, line
    for name in re.findall(r"\bdeploy/[\w./-]+\w", PAGE):
        assert (ROOT / name).exists() or name == "deploy/.env", name


def _block(program: str) -> str:
    return "\n".join(line for line in PAGE.splitlines() if line.startswith(program))

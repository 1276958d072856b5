"""Where settings come from, which wins, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from choir.node.settings import Settings, SettingsError, load_settings


def load(tmp_path: Path, toml: str = "", environment: dict[str, str] | None = None, **flags: Any) -> Settings:
    file = tmp_path / "choir.toml"
    file.write_text(toml)
    return load_settings(file, flags, environment or {})[0]


def test_flags_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    toml = 'port = 1001\nnode_name = "file"\nlog_level = "error"\n'
    environment = {"CHOIR_PORT": "1002", "CHOIR_NODE_NAME": "environment"}
    settings = load(tmp_path, toml, environment, port=1003)
    assert (settings.port, settings.node_name, settings.log_level, settings.host) == (
        1003,
        "environment",
        "error",
        "127.0.0.1",
    )


def test_a_flag_that_was_not_given_does_not_count(tmp_path: Path) -> None:
    assert load(tmp_path, "port = 1001", {}, port=None).port == 1001


def test_origins_are_told(tmp_path: Path) -> None:
    file = tmp_path / "choir.toml"
    file.write_text('node_name = "file"\nlog_level = "debug"')
    settings, origins = load_settings(file, {"data_dir": "/somewhere"}, {"CHOIR_LOG_LEVEL": "error"})
    told = {name: origin.origin for name, origin in origins.items()}
    assert told == {
        "host": "default",
        "port": "default",
        "genesis_file": "default",
        "domain": "default",
        "embedder": "default",
        "vector_index": "default",
        "searches_per_hour": "default",
        "chorus_model": "default",
        "chorus_models": "default",
        "chorus_per_hour": "default",
        "chorus_at_once": "default",
        "chorus_step_seconds": "default",
        "chorus_run_seconds": "default",
        "node_name": str(file),
        "log_level": "CHOIR_LOG_LEVEL",
        "data_dir": "--data-dir",
    }
    assert {name: origin.value for name, origin in origins.items()} == {name: getattr(settings, name) for name in told}


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("port = 7")
    settings, origins = load_settings(None, {}, {"CHOIR_CONFIG": str(file)})
    assert (settings.port, origins["port"].origin) == (7, str(file))


def test_variables_of_other_parts_are_left_alone(tmp_path: Path) -> None:
    environment = {
        "CHOIR_NODE": "http://127.0.0.1:1",
        "CHOIR_KEYRING_PASSWORD": "secret",
        "CHOIR_TEST_X": "1",
        "PATH": "/",
    }
    assert load(tmp_path, "", environment) == load(tmp_path)


@pytest.mark.parametrize(
    ("toml", "environment", "flags", "told"),
    [
        ("prot = 1", {}, {}, ["'prot'", "choir.toml", "port"]),
        ("", {"CHOIR_PROT": "1"}, {}, ["'prot'", "environment", "port"]),
        ("port = 70000", {}, {}, ["port", "choir.toml", "65535"]),
        ('port = "many"', {}, {}, ["port", "choir.toml"]),
        ("", {"CHOIR_PORT": "-1"}, {}, ["port", "CHOIR_PORT"]),
        ("", {"CHOIR_LOG_LEVEL": "loud"}, {}, ["log_level", "CHOIR_LOG_LEVEL"]),
        ("", {"CHOIR_NODE_NAME": ""}, {}, ["node_name", "CHOIR_NODE_NAME"]),
        ("", {}, {"domain": "http://example.org"}, ["domain", "--domain"]),
        ("", {}, {"embedder": "wordlama"}, ["embedder", "--embedder", "wordllama|minilm"]),
        ("", {}, {"embedder": "https://example.org/v1"}, ["embedder", "--embedder"]),
        ("", {"CHOIR_VECTOR_INDEX": "qdrant"}, {}, ["vector_index", "CHOIR_VECTOR_INDEX", "auto|exact|edge"]),
        ("", {}, {"port": 70000}, ["port", "--port"]),
        ("port = ", {}, {}, ["choir.toml"]),
        ("port = 1\nport = 2", {}, {}, ["choir.toml"]),
    ],
)
def test_what_is_wrong_is_named_in_one_line(
    tmp_path: Path, toml: str, environment: dict[str, str], flags: dict[str, Any], told: list[str]
) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, toml, environment, **flags)
    message = str(refused.value)
    assert "\n" not in message
    for part in told:
        assert part in message


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read .*missing\.toml"):
        load_settings(tmp_path / "missing.toml", {}, {})


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings(tmp_path / "binary.toml", {}, {})


def test_models_of_steps_come_from_a_table_or_a_line(tmp_path: Path) -> None:
    file = tmp_path / "choir.toml"
    file.write_text('chorus_model = "ollama:small"\n[chorus_models]\nyield = "anthropic:large"')
    settings, _ = load_settings(file, {}, {})
    assert (settings.chorus_model, settings.chorus_models) == ("ollama:small", {"yield": "anthropic:large"})
    line = "yield=http://127.0.0.1:8000/v1#big, update = extractive"
    settings, origins = load_settings(file, {}, {"CHOIR_CHORUS_MODELS": line})
    assert settings.chorus_models == {"yield": "http://127.0.0.1:8000/v1#big", "update": "extractive"}
    assert origins["chorus_models"].origin == "CHOIR_CHORUS_MODELS"
    settings, _ = load_settings(file, {"chorus_models": ""}, {})
    assert settings.chorus_models == {}


@pytest.mark.parametrize(
    "given",
    ["yield", "dream=extractive", "yield=nonsense", "yield=", "=extractive", "yield=http://host/v1"],
)
def test_a_model_that_makes_no_sense_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match="chorus_models"):
        load_settings(None, {"chorus_models": given}, {"CHOIR_CONFIG": ""})


def test_keys_of_models_are_no_settings() -> None:
    settings, _ = load_settings(None, {}, {"CHOIR_CHORUS_API_KEY": "secret", "CHOIR_SESSION_TOKEN": "secret"})
    assert "secret" not in repr(settings)

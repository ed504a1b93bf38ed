"""With how many threads torch computes, and what transformers may print."""

import os
import sys

import pytest
import torch
from transformers import modeling_gguf_pytorch_utils

from rag.models import processor


@pytest.mark.skipif(sys.platform != "linux" or torch.get_num_threads() < 2, reason="looks at Linux's threads")
def test_a_rest_gives_threads_back_and_changes_nothing_else(monkeypatch):
    if not processor._gnu_openmp():
        pytest.skip("torch came with another OpenMP")
    monkeypatch.setattr(processor, "_has_cores_to_itself", lambda: True)
    numbers = torch.arange(1_000_000, dtype=torch.float32).sin()
    before = numbers.softmax(0)
    threads = set(os.listdir("/proc/self/task"))
    processor.rest()
    assert threads - set(os.listdir("/proc/self/task"))
    processor.rest()  # with nothing to give back
    assert torch.equal(numbers.softmax(0), before)


def test_the_bar_of_a_gguf_file_is_left_to_a_terminal(capsys):
    processor.quiet()
    assert list(modeling_gguf_pytorch_utils.tqdm([1, 2], desc="converting")) == [1, 2]
    assert capsys.readouterr().err == ""

"""`musedance convert`: bad input is refused before any weights are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., int]

WEIGHTS, OUT = "{inputs}/text.safetensors", "{out}/start.safetensors"
BAD = {
    "missing weights": (["{inputs}/none", WEIGHTS, OUT], "no file or folder at", "none"),
    "missing AST": ([WEIGHTS, "{inputs}/none", OUT], "no file or folder at", "none"),
    "no folder for output": ([WEIGHTS, WEIGHTS, "{out}/no/a.safetensors"], "does not exist", "no"),
    "another format": ([WEIGHTS, WEIGHTS, "{out}/a.ckpt"], "must end in .safetensors", "a.ckpt"),
    "overwriting a source": ([WEIGHTS, WEIGHTS, WEIGHTS], "overwrite", "text.safetensors"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(
    run: Run, case: str, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, sentence, name = BAD[case]
    sd, ast, out = (word.format(inputs=inputs, out=tmp_path) for word in words)
    before = (inputs / "text.safetensors").read_bytes()
    assert run("convert", "--stable-diffusion", sd, "--ast", ast, "--out", out) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert sentence in printed.err and name in printed.err
    assert not list(tmp_path.iterdir())
    assert (inputs / "text.safetensors").read_bytes() == before

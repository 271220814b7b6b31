"""The way in and out: help without weight, exit codes, errors for people and for machines, language."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sonmat import __version__
from sonmat.cli.entry import named_language
from sonmat.core.errors import DataError, Paused, WorkerFailed
from sonmat.core.text import Text, verbatim
from tests.cli.conftest import FakePipeline, Sonmat, widest


def in_a_process(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "COLUMNS": "80", **environment}
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, env=given, check=False)


def test_help_imports_neither_torch_nor_transformers_nor_numpy_nor_rich() -> None:
    program = (
        "import sys; from sonmat.cli import main; code = main(['--help']);"
        "heavy = {'torch', 'transformers', 'numpy', 'rich', 'yaml', 'sonmat.api', 'sonmat.core.values', 'sonmat.pipeline'};"
        "print(code, sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = in_a_process("-c", program)
    assert done.stderr.strip() == "0 []"
    assert "doctor" in done.stdout


def test_python_dash_m_sonmat_is_the_same_command_line() -> None:
    done = in_a_process("-m", "sonmat", "--version")
    assert (done.returncode, done.stdout) == (0, f"sonmat {__version__}\n")


def test_help_speaks_korean_when_asked_and_keeps_to_80_columns() -> None:
    done = in_a_process("-m", "sonmat", "run", "--help", "--lang", "ko", SONMAT_LANG="en")
    assert "예시 파일" in done.stdout
    assert "쓸 수 없는 행" in done.stdout
    assert widest(done.stdout) <= 80


def test_the_environment_chooses_the_language_too() -> None:
    assert "이 기계를 진단합니다" in in_a_process("-m", "sonmat", "--help", SONMAT_LANG="ko").stdout


@pytest.mark.parametrize(
    ("words", "language"),
    [
        (["run", "a.csv", "--lang", "ko"], "ko"),
        (["--lang=en", "runs"], "en"),
        (["run", "--lang", "xx"], None),
        (["run", "--lang"], None),
        (["predict", "faq", "--", "--lang", "ko"], None),
    ],
)
def test_the_language_is_read_before_the_command_line_is_parsed(words: list[str], language: str | None) -> None:
    assert named_language(words) == language


def test_an_unknown_command_names_the_nearest_and_exits_2(sonmat: Sonmat) -> None:
    result = sonmat("plam", "faq")
    assert result.code == 2
    assert "plan" in result.err
    assert "sonmat --help" in result.err


def test_an_unknown_option_names_the_nearest_and_exits_2(sonmat: Sonmat) -> None:
    result = sonmat("run", "a.csv", "--minute", "3")
    assert result.code == 2
    assert "--minutes" in result.err


def test_a_value_of_the_wrong_kind_is_a_json_error_when_json_was_asked_for(sonmat: Sonmat) -> None:
    result = sonmat("run", "a.csv", "--minutes", "long", "--json")
    assert result.code == 2
    assert result.json["error"]["type"] == "UsageError"
    assert "--minutes" in result.json["error"]["message"]
    assert result.err == ""


def test_a_users_mistake_shows_message_and_fix_and_no_traceback(sonmat: Sonmat, pipeline: FakePipeline) -> None:
    pipeline.error = DataError(verbatim("Row 3 has no label."), verbatim("Give it one."))
    result = sonmat("run", "a.csv")
    assert result.code == 2
    assert "Error: Row 3 has no label.\n→ Give it one." in result.err
    assert "Traceback" not in result.err + result.out


def test_an_error_is_korean_for_korean_readers(sonmat: Sonmat, pipeline: FakePipeline) -> None:
    pipeline.error = DataError(Text(en="Row 3.", ko="3행."), Text(en="Mend it.", ko="고치세요."))
    assert "오류: 3행.\n→ 고치세요." in sonmat("--lang", "ko", "run", "a.csv").err


def test_a_pause_says_that_the_same_command_continues_and_exits_130(sonmat: Sonmat, pipeline: FakePipeline) -> None:
    pipeline.error = Paused(verbatim("Paused at step 7."))
    result = sonmat("run", "a.csv")
    assert result.code == 130
    assert "Paused at step 7." in result.err
    assert "same command continues" in result.err


def test_ctrl_c_in_a_step_of_this_process_exits_130_without_a_traceback(sonmat: Sonmat, pipeline: FakePipeline) -> None:
    pipeline.error = KeyboardInterrupt()
    result = sonmat("run", "a.csv")
    assert result.code == 130
    assert "same command continues" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plam"], "'plam'(이)라는 명령은 없습니다. 'plan'을(를) 뜻하셨나요?"),
        (["compare", "a"], "인자 'NEWER'을(를) 지정하세요."),
        (["compare", "a", "b", "c"], "쓰이지 않는 인자가 있습니다: c."),
        (["run", "a.csv", "--minute", "3"], "--minute 옵션은 없습니다. --input, --minutes을(를) 뜻하셨나요?"),
        (["run", "a.csv", "--seed"], "옵션 '--seed'에 값을 주세요."),
        (["run", "a.csv", "--json=3"], "옵션 '--json'에는 값을 줄 수 없습니다."),
        (["run", "a.csv", "--seed", "x"], "'--seed'의 값이 맞지 않습니다: 정수여야 합니다."),
        (["run", "a.csv", "--minutes", "x"], "'--minutes'의 값이 맞지 않습니다: 수여야 합니다."),
        (["audit", "a.csv", "--fail-on", "x"], "'x'은(는) 쓸 수 없습니다. 다음 가운데 하나를 쓰세요: 'blocker'"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_told_in_korean(sonmat: Sonmat, words: list[str], said: str) -> None:
    result = sonmat("--lang", "ko", *words)
    assert result.code == 2
    assert said in result.err.replace("\n", " ")


def test_a_choice_that_does_not_exist_is_told_without_words_of_the_parser(sonmat: Sonmat) -> None:
    assert "Value error" not in sonmat("audit", "a.csv", "--fail-on", "x").err


@pytest.mark.parametrize(
    "command", ["compare", "blind", "prove", "plan", "fit", "predict", "chat", "runs", "show", "doctor"]
)
def test_every_command_takes_the_language_behind_its_name(sonmat: Sonmat, command: str) -> None:
    result = sonmat(command, "--lang", "ko", "--nonsense")
    assert "--nonsense 옵션은 없습니다." in result.err


@pytest.mark.parametrize("words", [[], ["models"]])
def test_no_command_at_all_shows_the_help_and_does_not_call_it_an_error(sonmat: Sonmat, words: list[str]) -> None:
    result = sonmat(*words)
    assert result.code == 2
    assert result.err.lstrip().startswith("Usage: sonmat")
    assert "Error" not in result.err


def test_other_errors_of_sonmat_exit_1(sonmat: Sonmat, pipeline: FakePipeline) -> None:
    pipeline.error = WorkerFailed(verbatim("The worker died."))
    assert sonmat("run", "a.csv").code == 1


def test_a_fault_of_sonmat_leaves_a_traceback_in_a_file_and_an_apology(
    sonmat: Sonmat, pipeline: FakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pipeline.error = ZeroDivisionError("planted")
    result = sonmat("run", "a.csv")
    assert result.code == 1
    assert "Sorry" in result.err
    assert "Traceback" not in result.err
    (file,) = tmp_path.glob("sonmat-traceback-*.txt")
    assert file.name in result.err.replace("\n", "")
    assert "ZeroDivisionError: planted" in file.read_text(encoding="utf-8")


def test_every_error_is_one_json_document_when_json_was_asked_for(sonmat: Sonmat, pipeline: FakePipeline) -> None:
    pipeline.error = DataError(verbatim("Row 3."), verbatim("Mend it."))
    result = sonmat("run", "a.csv", "--json")
    assert result.json == {"error": {"type": "DataError", "message": "Row 3.", "fix": "Mend it."}}


def test_ctrl_c_from_outside_ends_a_waiting_command_with_130_and_no_traceback() -> None:
    program = (
        "import sys, time, sonmat.api; from sonmat.cli import main\n"
        "def perform(*_):\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "sonmat.api.perform = perform\n"
        "sys.exit(main(['run', 'a.csv']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that started the tests in the background made their children deaf to SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "same command continues" in errors
    assert "Traceback" not in errors

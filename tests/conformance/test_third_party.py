"""The example plug-in package, really installed: its plug-ins are found by name and keep their contracts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKS = """
from pathlib import Path
import tempfile
from sonmat import plugins
from sonmat.conformance import check_format, check_method, check_metric, check_probe
from sonmat.conformance.probe import made_setting
check_metric(plugins.find("metrics", "length_ratio"))
check_format(plugins.find("formats", "qa_text"), Path(tempfile.mkdtemp()))
assert check_method(plugins.find("methods", "nearest-example"), plugins.find("tasks", "chat"))
assert check_method(plugins.find("methods", "nearest-example"), plugins.find("tasks", "text-classification"))
assert not check_method(plugins.find("methods", "nearest-example"), plugins.find("tasks", "image-classification"))
assert [each.name for each in check_probe(plugins.find("probes", "politeness"), made_setting("chat"))] == ["thanks"]
print("kept")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the package was installed into by pip."""
    folder = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(ROOT / "examples" / "plugin", source)
    install = [
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "--target",
        str(folder),
        str(source),
    ]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True)
    return folder


def python(code: str, site: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)


def test_an_installed_package_is_found_and_keeps_the_contracts(site: Path) -> None:
    done = python(CHECKS, site)
    assert done.stdout.strip().endswith("kept"), done.stderr


def test_without_the_package_its_plugins_do_not_exist(tmp_path: Path) -> None:
    done = python("from sonmat import plugins; plugins.find('metrics', 'length_ratio')", tmp_path)
    assert "There is no metric named 'length_ratio'" in done.stderr


def test_a_third_party_plugin_of_the_wrong_shape_is_named(site: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(site, broken)
    module = broken / "sonmat_example_plugin" / "length_ratio.py"
    module.write_text(module.read_text().replace("    def value(", "    def worth_of("))
    done = python("from sonmat import plugins; plugins.every('metrics')", broken)
    assert "sonmat_example_plugin.length_ratio:plugin is not a metric: it lacks value()" in done.stderr


def test_a_third_party_plugin_that_cannot_be_imported_is_named(site: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(site, broken)
    (broken / "sonmat_example_plugin" / "length_ratio.py").write_text("import not_there")
    done = python("from sonmat import plugins; plugins.every('metrics')", broken)
    assert "sonmat_example_plugin.length_ratio:plugin could not be loaded: ModuleNotFoundError" in done.stderr

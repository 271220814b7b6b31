"""The project's own promises: README and disk agree, links lead somewhere, importing is light, files stay small."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sonmat"


def tree_names() -> set[str]:
    """Names below `sonmat/` in the README's tree."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = text.partition("## The tree")[2].split("```")[1]
    lines = [line for line in tree.splitlines() if line.startswith(("├── ", "└── "))]
    return {name for line in lines for name in re.findall(r"(?:^[├└]── |· )([a-z_]+(?:/|\.py))", line)}


def test_the_readmes_tree_is_what_is_on_disk() -> None:
    folders = {f"{path.name}/" for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    modules = {path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")}
    assert tree_names() == folders | modules


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md"], ids=lambda page: page.name)
def test_every_link_of_the_documents_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


# The memory of an arm without a model, which the proof tells, is that of the process that answers.
@pytest.mark.parametrize(
    "code", ["import sonmat", "import sonmat; sonmat.SonmatError; sonmat.run", "import sonmat.worker, sonmat.steps.prove"]
)
def test_importing_does_not_import_torch(code: str) -> None:
    script = f"import sys; {code}; print(sorted({{'torch', 'transformers', 'peft'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_public_names_exist_and_are_documented() -> None:
    import sonmat

    for name in sonmat.__all__:
        value = getattr(sonmat, name)
        assert name == "__version__" or (value.__doc__ or "").strip(), f"sonmat.{name} has no docstring"


def test_files_answer_one_question_each() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in PACKAGE.rglob("*.py")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert not long


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    import sonmat

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sonmat.nothing  # noqa: B018

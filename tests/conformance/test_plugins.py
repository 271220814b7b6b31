"""Finding plug-ins: by name, without torch, with errors that name the nearest."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sonmat import plugins
from sonmat.core.errors import SettingError
from sonmat.core.protocols import ROOMS, PluginRoom


@pytest.mark.parametrize("room", ROOMS)
def test_every_plugin_is_found_by_its_name(room: PluginRoom) -> None:
    found = plugins.every(room)
    assert found
    for plugin in found:
        assert plugins.find(room, plugin.name) is plugin


def test_finding_every_plugin_does_not_import_torch() -> None:
    code = (
        "import sys\nfrom sonmat import plugins\nfrom sonmat.core.protocols import ROOMS\n"
        "for room in ROOMS: plugins.every(room)\n"
        "print(sorted({'torch', 'transformers', 'peft', 'kiwipiepy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_proposes_the_nearest() -> None:
    with pytest.raises(SettingError, match="Did you mean 'lora'"):
        plugins.find("methods", "lorra")
    with pytest.raises(SettingError, match="Did you mean 'text-classification'"):
        plugins.find("tasks", "text_classification")

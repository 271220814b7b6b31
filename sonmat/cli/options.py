"""Options that several commands share, so that one name means one thing everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from sonmat.core.text import Text


def words(en: str, ko: str) -> str:
    """A help text in the reader's language."""
    return str(Text(en=en, ko=ko))


AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        help=words(
            en="Print one JSON document on stdout instead of text for people.",
            ko="사람이 읽는 글 대신 JSON 문서 하나를 표준 출력에 씁니다.",
        ),
    ),
]
RunName = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help=words(
            en="Name of a run (`sonmat runs` lists them) or its folder.",
            ko="실행 이름(`sonmat runs`로 볼 수 있습니다) 또는 그 폴더.",
        ),
    ),
]
RunOrData = Annotated[
    str,
    typer.Argument(
        metavar="RUN|DATA",
        help=words(
            en="Name or folder of a run; or a file or folder of examples, which starts one.",
            ko="실행 이름이나 폴더. 예시 파일이나 폴더를 주면 새 실행을 시작합니다.",
        ),
    ),
]
Lang = Annotated[
    str | None,
    typer.Option(
        "--lang",
        metavar="en|ko",
        help=words(
            en="Language of messages and report; the locale's if left out.",
            ko="메시지와 보고서의 언어. 생략하면 시스템 언어를 따릅니다.",
        ),
    ),
]
AcceptLicence = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-licence",
        metavar="MODEL",
        help=words(
            en="Accept the licence terms of this catalogue model. Repeatable.",
            ko="목록에 있는 이 모델의 라이선스에 동의합니다. 여러 번 쓸 수 있습니다.",
        ),
    ),
]

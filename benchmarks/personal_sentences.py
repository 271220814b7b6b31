"""Sentences with planted personal values, the same for the same seed; the styles that the recognisers were made better with.

In: styles, a number of sentences for each, a seed. Out: `Planted` sentences. Styles that were held out, and sentences with
nothing personal in them, have files of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks import personal_places as places
from benchmarks import personal_values as made
from sonmat.reading.personal import PersonalKind


@dataclass(frozen=True)
class Planted:
    text: str
    kind: PersonalKind | None
    """None where nothing personal is in it."""
    value: str
    style: str


@dataclass(frozen=True)
class Style:
    kind: PersonalKind
    name: str
    make: Callable[[Random], str]
    """The value; what is not part of it may stand before a '|'."""
    contexts: Sequence[str]
    """Sentences with {} where the value goes."""


def planted(styles: Sequence[Style], each: int, seed: int = 0) -> Iterator[Planted]:
    """`each` sentences of every style."""
    for style in styles:
        chance = Random(f"{seed} {style.kind} {style.name}")
        for number in range(each):
            before, _, value = style.make(chance).rpartition("|")
            context = style.contexts[number % len(style.contexts)]
            yield Planted(context.replace("{}", before + value), style.kind, value, f"{style.kind}: {style.name}")


def joined(make: Callable[[Random], Sequence[str]], sign: str) -> Callable[[Random], str]:
    return lambda chance: sign.join(make(chance))


def full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def fours(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


_MAIL = (
    "제 이메일은 {}입니다.",
    "{}으로 영수증을 보내 주세요.",
    "문의: {}",
    "Please write to {} by Friday.",
    "My e-mail is {}, thanks!",
    "회신은 {} 로 부탁드려요",
    "담당자 김민지({})에게 연락하세요",
    "Contact <{}> for details.",
)
_CALL = (
    "제 번호는 {}이에요.",
    "{}로 전화 주세요.",
    "연락처: {}",
    "급하시면 {} 로 연락 바랍니다",
    "배송 기사님께 {} 남겼어요",
    "홍길동 {} 입니다. 예약 변경하려고요.",
    "010 번호로 바꿨어요, 새 번호 {}",
)
_CALL_EN = (
    "Call me at {} after six.",
    "My number is {}.",
    "You can reach Anna on {}, any time.",
    "Phone: {}",
    "Text {} when you arrive.",
)
_CARD = (
    "카드번호는 {}입니다.",
    "결제는 {} 카드로 했어요.",
    "My card {} was charged twice.",
    "card number: {} exp 12/27",
    "{} 이 카드 정지해 주세요",
)
_ACCOUNT = (
    "환불은 {} 계좌로 부탁드립니다.",
    "{} 홍길동 앞으로 입금해 주세요.",
    "계좌번호 {} 예금주 이영희",
    "제 통장은 {}이에요",
    "{}으로 송금했습니다",
)
_RESIDENT = (
    "주민번호 {} 확인 부탁드려요.",
    "본인 확인용으로 {} 적습니다.",
    "주민등록번호: {}",
    "제 번호는 {}인데 가입이 안 돼요.",
    "김철수, {}, 서울 거주",
)
_FOREIGNER = (
    "외국인등록번호 {}입니다.",
    "등록번호는 {}예요.",
    "ARC number {} expires soon.",
    "{} 으로 본인 인증이 안 됩니다",
)
_BUSINESS = (
    "사업자등록번호 {}로 세금계산서 부탁드립니다.",
    "사업자번호: {}",
    "저희 회사는 {}이고 대표는 박민수입니다.",
    "(주)한빛 {} 발행",
)
_LICENCE = ("운전면허번호 {} 갱신하려고요.", "면허증 번호는 {}입니다.", "면허: {}", "렌터카 예약에 {} 를 적었어요")
_PASSPORT = (
    "여권번호는 {}입니다.",
    "여권 {} 만료가 다가와요.",
    "My passport number is {}.",
    "Passport: {}",
    "항공권 예약에 쓸 여권 번호 {} 보냅니다",
)
_SSN = ("My SSN is {}.", "Social security number: {}", "Applicant {} born in 1980.", "SSN {} was rejected by the form.")
_LIVES = (
    "{}로 보내 주세요.",
    "주소는 {}입니다.",
    "저는 {}에 살아요.",
    "배송지를 {} 로 바꿔 주세요.",
    "사무실이 {}에 있습니다",
    "{} 김민수 앞",
)
_LIVES_EN = (
    "I live at {}.",
    "Ship it to {}, please.",
    "Our office is at {}.",
    "The package went to {} instead.",
    "Billing address: {}",
)
_HOST = (
    "접속 기록에 {} 가 있습니다.",
    "Failed login from {} at noon.",
    "서버 {}에 핑이 안 가요",
    "client {} connected",
    "{} - - GET /index.html",
)
_KEY = ("키는 {} 입니다.", "export KEY={}", "I pasted {} into the chat by mistake.", "token: {}", '{"auth": "{}"}')
_NAMED_KEY = ('api_key = "{}"', "API_SECRET={}", "access_token: {}", "client_secret={}", "Authorization: Bearer {}")
_PASSWORD = (
    "비밀번호는 {}입니다.",
    "비번: {}",
    "password: {}",
    "The password is {} for now.",
    "PASSWORD={}",
    "아이디 minsu 비밀번호 {}",
)

TUNED: Sequence[Style] = (
    Style("email", "plain", made.email, _MAIL),
    Style("email", "upper case", lambda chance: made.email(chance).upper(), _MAIL),
    Style("email", "tag", lambda chance: f"{made.local_part(chance)}+shop@{chance.choice(made.HOSTS)}", _MAIL),
    Style("email", "[at]", lambda chance: made.email(chance).replace("@", " [at] "), _MAIL),
    Style("phone", "mobile, hyphens", joined(made.korean_mobile, "-"), _CALL),
    Style("phone", "mobile, bare", joined(made.korean_mobile, ""), _CALL),
    Style("phone", "mobile, spaces", joined(made.korean_mobile, " "), _CALL),
    Style("phone", "mobile, dots", joined(made.korean_mobile, "."), _CALL),
    Style("phone", "mobile, +82", lambda chance: "+82 " + "-".join(made.korean_mobile(chance))[1:], _CALL + _CALL_EN),
    Style("phone", "landline, hyphens", joined(made.korean_landline, "-"), _CALL),
    Style("phone", "landline, brackets", lambda chance: "({}) {}-{}".format(*made.korean_landline(chance)), _CALL),
    Style("phone", "internet and safe", joined(made.internet_number, "-"), _CALL),
    Style("phone", "service", made.service_number, _CALL),
    Style("phone", "American, brackets", lambda chance: "({}) {}-{}".format(*made.american(chance)), _CALL_EN),
    Style("phone", "American, hyphens", joined(made.american, "-"), _CALL_EN),
    Style("phone", "American, +1", lambda chance: "+1 " + " ".join(made.american(chance)), _CALL_EN),
    Style("phone", "British", made.british, _CALL_EN),
    Style("phone", "abroad", made.abroad, _CALL_EN + _CALL),
    Style("card", "hyphens", lambda chance: made.grouped(made.card(chance), (4, 4, 4, 4), "-"), _CARD),
    Style("card", "spaces", lambda chance: made.grouped(made.card(chance), (4, 4, 4, 4), " "), _CARD),
    Style("card", "bare", made.card, _CARD),
    Style("card", "American Express", lambda chance: made.grouped(made.american_express(chance), (4, 6, 5), " "), _CARD),
    Style("iban", "bare", made.iban, ("IBAN: {}", "Please pay to {} soon.", "송금은 {}으로 해 주세요.")),
    Style("iban", "groups", lambda chance: fours(made.iban(chance)), ("My IBAN is {}.", "Transfer it to {} today.")),
    Style("account", "with bank", lambda chance: " |".join(made.bank_account(chance)), _ACCOUNT),
    Style(
        "account",
        "number alone",
        lambda chance: made.bank_account(chance)[1],
        ("입금 계좌: {}", "계좌번호는 {}입니다.", "{} 국민은행으로 입금 부탁드려요"),
    ),
    Style(
        "account",
        "American",
        lambda chance: made.digits(chance, 10),
        ("Bank account number {}.", "My checking account {} is empty.", "Account no: {}"),
    ),
    Style("resident_number", "with check digit", joined(made.resident, "-"), _RESIDENT),
    Style("resident_number", "since 2020", joined(lambda chance: made.resident(chance, new=True), "-"), _RESIDENT),
    Style("resident_number", "bare", joined(made.resident, ""), _RESIDENT),
    Style("foreigner_number", "hyphen", joined(lambda chance: made.resident(chance, foreigner=True), "-"), _FOREIGNER),
    Style("foreigner_number", "since 2020, bare", joined(lambda chance: made.resident(chance, True, True), ""), _FOREIGNER),
    Style("business_number", "hyphens", joined(made.business_number, "-"), _BUSINESS),
    Style("driving_licence", "hyphens", joined(made.driving_licence, "-"), _LICENCE),
    Style("passport", "Korean", made.passport, _PASSPORT),
    Style("ssn", "hyphens", joined(made.social_security, "-"), _SSN),
    Style("address", "road", places.road_address, _LIVES),
    Style("address", "road and flat", lambda chance: f"{places.road_address(chance)}, {places.flat(chance)}", _LIVES),
    Style(
        "address",
        "road, building, flat",
        lambda chance: f"{places.road_address(chance)} {chance.choice(places.BUILDINGS)} {places.flat(chance)}",
        _LIVES,
    ),
    Style("address", "lot", places.lot_address, _LIVES),
    Style("address", "American", places.street_address, _LIVES_EN),
    Style(
        "address",
        "American, city",
        lambda chance: f"{places.street_address(chance)}, {places.city_line(chance)}",
        _LIVES_EN,
    ),
    Style("ip_address", "version 4", made.ip4, _HOST),
    Style("ip_address", "version 6", made.ip6, _HOST),
    Style("secret", "GitHub", made.github_token, _KEY),
    Style("secret", "Amazon", made.amazon_key, _KEY),
    Style("secret", "OpenAI", made.openai_key, _KEY),
    Style("secret", "Google", made.google_key, _KEY),
    Style("secret", "Stripe", made.stripe_key, _KEY),
    Style("secret", "Slack", made.slack_token, _KEY),
    Style("secret", "web token", made.web_token, _KEY),
    Style("secret", "random, named", made.random_key, _NAMED_KEY),
    Style("private_key", "PEM", made.private_key, ("내 키야:\n{}", "{}", "Here is the key\n{}\nkeep it safe")),
    Style("password", "named", made.password, _PASSWORD),
)

"""Ways of writing personal values, and words around them, that were held out while the recognisers were made.

In: nothing. Out: three lists of styles. Each was written before the recognisers had met any of it, and looked at once when they
were done with the lists before; `docs/personal-data.md` keeps the figures of that first look. What it showed was then mended, so
that today's figures are those of known styles again.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import personal_places as places
from benchmarks import personal_values as made
from benchmarks.personal_sentences import Style, full_width, joined

_OTHER_CALL = (
    "혹시 {} 번 맞나요?",
    "안 되면 여기로 걸어 주세요 {}",
    "어머니 핸드폰 {}",
    "사장님({})께 여쭤보세요",
    "문자 수신: {} / 저녁에만",
    "{}.",
)
_OTHER_CALL_EN = (
    "If nobody answers, try {} instead.",
    "reception ({})",
    "Dad's new mobile is {}",
    "fax {} only",
    "Ring us: {}!",
)
FIRST: Sequence[Style] = (
    Style(
        "email",
        "quoted in a form",
        lambda chance: f"{made.local_part(chance)}@{chance.choice(made.HOSTS)}",
        ('{"user_mail":"{}","ok":true}', "mailto:{}?subject=hi", "이름/메일/전화 | 박지원 | {} | 없음", "cc:{};"),
    ),
    Style(
        "email",
        "(at) (dot)",
        lambda chance: made.email(chance).replace("@", "(at)").replace(".", "(dot)"),
        ("메일 {} 입니다", "Reach me: {}"),
    ),
    Style(
        "email", "골뱅이", lambda chance: made.email(chance).replace("@", "골뱅이"), ("메일은 {} 이에요", "{} 로 보내줘")
    ),
    Style("email", "full-width", lambda chance: full_width(made.email(chance)), ("メール {} です", "이메일 {}")),
    Style("phone", "mobile, bracket", lambda chance: "{}){}-{}".format(*made.korean_mobile(chance)), _OTHER_CALL),
    Style("phone", "mobile, wide hyphens", joined(made.korean_mobile, " - "), _OTHER_CALL),
    Style("phone", "mobile, en dashes", joined(made.korean_mobile, "–"), _OTHER_CALL),
    Style("phone", "mobile, full-width", lambda chance: full_width("-".join(made.korean_mobile(chance))), _OTHER_CALL),
    Style("phone", "mobile, zero-width", lambda chance: "\u200b-".join(made.korean_mobile(chance)), _OTHER_CALL),
    Style("phone", "mobile, +82(0)", lambda chance: "+82(0)" + "-".join(made.korean_mobile(chance))[1:], _OTHER_CALL),
    Style("phone", "mobile, 82 without plus", lambda chance: "82-" + "-".join(made.korean_mobile(chance))[1:], _OTHER_CALL),
    Style("phone", "mobile, spoken", lambda chance: _spoken(made.korean_mobile(chance)), _OTHER_CALL),
    Style("phone", "landline, spaces", joined(made.korean_landline, " "), _OTHER_CALL),
    Style("phone", "American, dots", joined(made.american, "."), _OTHER_CALL_EN),
    Style("phone", "American, 1-", lambda chance: "1-" + "-".join(made.american(chance)), _OTHER_CALL_EN),
    Style("phone", "American, bare", joined(made.american, ""), ("call {} now", "phone number {}", "my cell: {}")),
    Style("phone", "Australian", made.australian, _OTHER_CALL_EN),
    Style("phone", "Singaporean", made.singaporean, _OTHER_CALL_EN),
    Style(
        "card",
        "dots",
        lambda chance: made.grouped(made.card(chance), (4, 4, 4, 4), "."),
        ("체크카드 {} 분실했습니다", "Visa ending... no, all of it: {}"),
    ),
    Style("card", "full-width", lambda chance: full_width(made.card(chance)), ("번호 {} / 유효기간 03/29", "paid with {}")),
    Style("iban", "lower case", lambda chance: made.iban(chance).lower(), ("iban {} bitte", "konto: {}")),
    Style(
        "account",
        "beneficiary first",
        lambda chance: " |".join(made.bank_account(chance)),
        ("박서준 {}", "{} (예금주: 김하늘)", "회비는 {}"),
    ),
    Style(
        "account",
        "bare",
        lambda chance: made.bank_account(chance)[1].replace("-", ""),
        ("신한은행 {} 이영희", "계좌 {} 로 이체 부탁", "입금 {} 하나은행"),
    ),
    Style("account", "routing", made.routing_number, ("routing number {}", "ABA {} at the bank")),
    Style(
        "resident_number",
        "spaces around",
        joined(made.resident, " - "),
        ("민증 {} 이요", "생년월일과 뒷자리: {}", "{} 맞으세요?"),
    ),
    Style(
        "resident_number",
        "en dash, since 2020",
        joined(lambda chance: made.resident(chance, new=True), "–"),
        ("신청자 {}", "{} 본인입니다"),
    ),
    Style(
        "resident_number",
        "full-width",
        lambda chance: full_width("-".join(made.resident(chance))),
        ("주민 {}", "번호 {} 조회"),
    ),
    Style(
        "foreigner_number",
        "space",
        joined(lambda chance: made.resident(chance, True, True), " "),
        ("외국인 등록증 {}", "residence card {}"),
    ),
    Style("business_number", "bare", joined(made.business_number, ""), ("사업자 번호가 {} 맞나요", "사업자등록번호={}")),
    Style("business_number", "spaces", joined(made.business_number, " - "), ("공급자 등록번호 {}", "세금계산서 {} 앞")),
    Style("driving_licence", "bare", joined(made.driving_licence, ""), ("운전면허 {}", "면허번호={} 조회")),
    Style("driving_licence", "spaces", joined(made.driving_licence, " "), ("면허증 {} 분실", "운전 면허 번호 {} 이요")),
    Style(
        "driving_licence",
        "region in words",
        lambda chance: "{} {}-{}-{}".format("서울", *made.driving_licence(chance)[1:]),
        ("면허 {}", "{} 면허증입니다"),
    ),
    Style(
        "passport",
        "other words",
        made.passport,
        ("여권: {} (만료 2030)", "new passport no. {}", "비자 신청, 여권정보 {}", "passport #{} lost in Rome"),
    ),
    Style(
        "ssn",
        "bare and spaces",
        lambda chance: chance.choice((" ", "")).join(made.social_security(chance)),
        ("social security {}", "ssn={}", "his SSN ({})"),
    ),
    Style(
        "address",
        "with postcode",
        lambda chance: f"({made.digits(chance, 5)}) {places.road_address(chance)}",
        ("수령지 {}", "{}로 이사했어요", "우편물은 {}"),
    ),
    Style("address", "lot and 번지", lambda chance: f"{places.lot_address(chance)}번지", ("본적 {}", "{} 앞에서 만나요")),
    Style(
        "address",
        "road without region",
        lambda chance: f"{chance.choice(places.ROADS)} {chance.randrange(2, 300)} {places.flat(chance)}",
        ("배송지 {}", "집 주소가 {} 인데요"),
    ),
    Style(
        "address",
        "flat of a building",
        lambda chance: (
            f"{chance.choice(places.BUILDINGS)} {chance.randrange(101, 130)}동 {chance.randrange(2, 20)}0{chance.randrange(1, 9)}호"
        ),
        ("{} 앞에 두세요", "저희 집 {}"),
    ),
    Style(
        "address",
        "American, flat",
        lambda chance: f"{places.street_address(chance)}, Apt {chance.randrange(1, 30)}B, {places.city_line(chance)}",
        ("send the parcel to {}", "old home: {}.", "He moved from {} last year"),
    ),
    Style(
        "address",
        "American, lower case",
        lambda chance: f"{places.street_address(chance)}, {places.city_line(chance)}".lower(),
        ("my address is {}", "deliver to {}"),
    ),
    Style(
        "ip_address",
        "in a log",
        made.ip4,
        ("[{}]:443 refused", "src={} dst=unknown", "http://{}:8080/admin", "차단된 IP: {}, 3회"),
    ),
    Style("ip_address", "version 6 in brackets", made.ip6, ("http://[{}]/", "addr {}/64")),
    Style(
        "secret",
        "in code",
        made.random_key,
        ('headers = {"X-Api-Key": "{}"}', "secret_key: '{}'", "SLACK_TOKEN = {}", "인증키는 {} 입니다"),
    ),
    Style(
        "secret",
        "in an address",
        lambda chance: made.google_key(chance),
        ("https://maps.example.com/api?key={}&v=3", "curl -H 'x: {}'"),
    ),
    Style("password", "in an address", made.password, ("postgres://admin:{}@db.internal/app",)),
    Style(
        "password",
        "other words",
        made.password,
        ("와이파이 비밀번호 {} 이에요", "pwd={};", "login kim / pw {}", "Use passphrase: {}", "암호는 {} 로 바꿨어"),
    ),
)


def _spoken(parts: Sequence[str]) -> str:
    return " ".join("".join("공일이삼사오육칠팔구"[int(digit)] for digit in part) for part in parts)


_NOTE = ("메모: {}", "{}", "[상담] 고객이 {} 라고 함", "re: {} (확인요망)", "1) {} 2) 없음")
_NOTE_EN = ("note - {}", "caller said {} twice", "{}", "see {}; urgent", "1) {} 2) n/a")
SECOND: Sequence[Style] = (
    Style("email", "among Korean", made.email, ("저는{}을씁니다", "메일주소={}/전화없음", "받는사람:{}외 2명", "「{}」")),
    Style("email", "spaced, provider", lambda chance: f"{made.local_part(chance)} @ naver.com", _NOTE),
    Style("email", "at and dot", lambda chance: f"{chance.choice(made.GIVEN)} at gmail dot com", _NOTE_EN),
    Style("phone", "mobile, underscores", joined(made.korean_mobile, "_"), _NOTE),
    Style("phone", "mobile, mixed", lambda chance: "{}-{} {}".format(*made.korean_mobile(chance)), _NOTE),
    Style("phone", "mobile, all in brackets", lambda chance: "({})".format("-".join(made.korean_mobile(chance))), _NOTE),
    Style("phone", "mobile, no-break spaces", joined(made.korean_mobile, "\u00a0"), _NOTE),
    Style("phone", "mobile, +82 bare", lambda chance: "+82" + "".join(made.korean_mobile(chance))[1:], _NOTE + _NOTE_EN),
    Style("phone", "landline, dots", joined(made.korean_landline, "."), _NOTE),
    Style("phone", "landline, +82", lambda chance: "+82-" + "-".join(made.korean_landline(chance))[1:], _NOTE_EN),
    Style("phone", "safe number, bare", joined(made.internet_number, ""), ("안심번호 {}", "{} 로 연락 바람")),
    Style("phone", "American, space and hyphen", lambda chance: "({}) {} {}".format(*made.american(chance)), _NOTE_EN),
    Style(
        "phone",
        "American, extension",
        lambda chance: "-".join(made.american(chance)) + f" x{made.digits(chance, 3)}",
        _NOTE_EN,
    ),
    Style(
        "phone",
        "British, at home",
        lambda chance: f"020 {made.digits(chance, 4)} {made.digits(chance, 4)}",
        ("tel {}", "Phone: {}"),
    ),
    Style("card", "wide hyphens", lambda chance: made.grouped(made.card(chance), (4, 4, 4, 4), " - "), _NOTE),
    Style("card", "American Express, bare", made.american_express, _NOTE_EN),
    Style("iban", "hyphens", lambda chance: _in_fours(made.iban(chance), "-"), _NOTE_EN),
    Style(
        "account",
        "spaces",
        lambda chance: " |".join(made.bank_account(chance)).replace("-", " "),
        ("{} 입금 바랍니다", "환불계좌 {}"),
    ),
    Style("account", "with colon", lambda chance: ": |".join(made.bank_account(chance)), ("{} (김민지)", "곗돈 {}")),
    Style(
        "resident_number", "in a form", joined(made.resident, "-"), ("성명 홍길동 / {} / 남", '{"rrn":"{}"}', "주민{}번")
    ),
    Style("resident_number", "slash", joined(lambda chance: made.resident(chance, new=True), "/"), _NOTE),
    Style("foreigner_number", "wide hyphens", joined(lambda chance: made.resident(chance, True, True), " - "), _NOTE),
    Style("business_number", "dots", joined(made.business_number, "."), ("사업자 {}", "거래처 {} 로 발행")),
    Style("driving_licence", "dots", joined(made.driving_licence, "."), ("면허 {}", "운전면허증({})")),
    Style("passport", "lower case", lambda chance: made.passport(chance).lower(), ("여권 {}", "passport {}")),
    Style("passport", "word behind", made.passport, ("{} (여권)", "{} is my passport")),
    Style("ssn", "in a form", joined(made.social_security, "-"), ("ssn|{}|f", '{"ssn": "{}"}', *_NOTE_EN)),
    Style("address", "no spaces", lambda chance: places.road_address(chance).replace(" ", ""), ("{}로 보내줘", "{}")),
    Style(
        "address",
        "road, village in brackets",
        lambda chance: f"{places.road_address(chance)} ({chance.choice(places.VILLAGES)})",
        _NOTE,
    ),
    Style("address", "lot with flat", lambda chance: f"{places.lot_address(chance)} {places.flat(chance)}", _NOTE),
    Style(
        "address",
        "flat, short",
        lambda chance: f"{places.road_address(chance)}, {chance.randrange(101, 130)}-{chance.randrange(101, 2009)}",
        _NOTE,
    ),
    Style(
        "address",
        "American, suite",
        lambda chance: f"{places.street_address(chance)}, Suite {made.digits(chance, 3)}",
        _NOTE_EN,
    ),
    Style(
        "address",
        "American, numbered",
        lambda chance: f"{chance.randrange(1, 999)} {chance.randrange(4, 20)}th Avenue",
        _NOTE_EN,
    ),
    Style("ip_address", "before Korean", made.ip4, ("{}에서 접속", "아이피는{}입니다", "ip:{}")),
    Style("ip_address", "version 6, capitals", lambda chance: made.ip6(chance).upper(), _NOTE_EN),
    Style(
        "secret",
        "in an environment file",
        made.random_key,
        ("NAVER_CLIENT_SECRET={}", "OPENAI_API_KEY='{}'", "export AUTH_TOKEN={}"),
    ),
    Style("secret", "published, in Korean", made.stripe_key, ("키값 {}입니다", "{}로 호출했어요")),
    Style(
        "password",
        "with user",
        made.password,
        ("id: kim pw: {}", "계정 kim 비밀번호 : {}", 'passwd="{}"', "초기 비밀번호={}"),
    ),
)


def _in_fours(number: str, sign: str) -> str:
    return sign.join(number[start : start + 4] for start in range(0, len(number), 4))


THIRD: Sequence[Style] = (
    Style("email", "with name", lambda chance: f"<{made.email(chance)}>", ("From: Kim Minsu {}", "박지은 {} 님이 보냄")),
    Style("email", "in an address", made.email, ("https://shop.kr/u?mail={}&t=1", "ldap:uid={},ou=x")),
    Style("email", "Korean domain", lambda chance: f"{made.local_part(chance)}@한글메일.한국", ("메일 {} 로 주세요", "{}")),
    Style("phone", "mobile, tilde", joined(made.korean_mobile, "~"), ("{} 로 문자 주세요", "폰 {}")),
    Style("phone", "mobile, many spaces", joined(made.korean_mobile, "  "), ("{} 전화요", "연락 {}")),
    Style("phone", "mobile, minus signs", joined(made.korean_mobile, "\u2212"), ("{}", "번호 {}요")),
    Style(
        "phone",
        "mobile, 0082",
        lambda chance: "0082-" + "-".join(made.korean_mobile(chance))[1:],
        ("{} from abroad", "해외에서는 {}"),
    ),
    Style("phone", "mobile, glued to words", joined(made.korean_mobile, "-"), ("엄마{}아빠", "tel:{};", "연락처{}로")),
    Style(
        "phone",
        "landline, bracket alone",
        lambda chance: "{}){}-{}".format(*made.korean_landline(chance)),
        ("{} 사무실", "대표 {}"),
    ),
    Style(
        "phone",
        "service, bare",
        lambda chance: made.service_number(chance).replace("-", ""),
        ("고객센터 {}", "전화는 {} 번"),
    ),
    Style(
        "phone", "American, no space", lambda chance: "({}){}-{}".format(*made.american(chance)), ("{} anytime", "cell {}")
    ),
    Style("phone", "American, +1 bare", lambda chance: "+1" + "".join(made.american(chance)), ("sms {}", "{} is mine")),
    Style(
        "card",
        "two spaces",
        lambda chance: made.grouped(made.card(chance), (4, 4, 4, 4), "  "),
        ("{} 로 결제", "pay by {}"),
    ),
    Style("iban", "in a sentence", made.iban, ("Bitte an {}, danke.", "({})", "{}로 송금")),
    Style(
        "account",
        "words behind",
        lambda chance: made.bank_account(chance)[1],
        ("{} 으로 입금했습니다", "{} 계좌 맞나요", "{}, 예금주 김하늘"),
    ),
    Style("resident_number", "dot", joined(made.resident, "."), ("{} 확인", "본인 {}")),
    Style("resident_number", "glued to words", joined(made.resident, "-"), ("주민번호{}입니다", "번호:{}/남")),
    Style(
        "foreigner_number",
        "in English",
        joined(lambda chance: made.resident(chance, True), "-"),
        ("alien registration {}", "ID {} (ARC)"),
    ),
    Style("business_number", "glued to words", joined(made.business_number, "-"), ("사업자번호{}대표김", "등록번호:{}")),
    Style("driving_licence", "in English", joined(made.driving_licence, "-"), ("driver's licence {}", "licence no {}.")),
    Style("passport", "hash", made.passport, ("passport no: {}", "여권 #{}", "여권번호({})")),
    Style("ssn", "spaces", joined(made.social_security, " "), ("my social security number is {}", "SSN: {}")),
    Style(
        "address",
        "with floor and room",
        lambda chance: f"{places.road_address(chance)} {places.flat(chance)}",
        ("받는 곳: {} 김민지", "{} 김민지"),
    ),
    Style(
        "address", "comma after city", lambda chance: places.road_address(chance).replace(" ", ", ", 1), ("{}", "우리집 {}")
    ),
    Style(
        "address", "American, direction", lambda chance: f"{made.digits(chance, 3)} N Main St", ("near {}", "home is {}.")
    ),
    Style(
        "address",
        "American, on lines",
        lambda chance: f"1{places.street_address(chance)}\n{places.city_line(chance)}",
        ("Anna Kim\n{}", "To:\n{}"),
    ),
    Style("ip_address", "with mask", made.ip4, ("{}/32 차단", "allow {};", "ip={}&x=1")),
    Style("secret", "in JSON", made.random_key, ('{"access_token":"{}"}', '"apiKey": "{}"', "x-api-key: {}")),
    Style("secret", "web token, bearer", made.web_token, ("curl -H 'Authorization: Bearer {}'", "{}")),
    Style(
        "password", "quoted", made.password, ('"password": "{}"', "password='{}'", "비밀번호 = '{}'", "패스워드: {} 입니다")
    ),
)

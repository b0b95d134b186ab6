"""Texts of simulated runs: real-looking ones in two languages, and some that break pages."""

from __future__ import annotations

import numpy as np

NASTY = (
    "</script><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">",
    "emoji 👩‍👩‍👧‍👦 🇨🇳 and a heart ❤️, combining e\u0301, zero\u200bwidth",
    "مرحبا، هذا نص عربي من اليمين إلى اليسار (with English) 123",
    "controls: null \x00 bell \x07 escape \x1b[31m, bidi override \u202etxet desrever\u202c end",
    "a" * 400,
    "{{ 7 * 7 }} {% raw %} ${x} <!-- comment ]]> &amp; &lt;b&gt;",
    "多行文本\n第二行\t制表符",
    "word " * 900,
)


PHRASES = {
    "en": (
        ("The plot", "The acting", "Every scene", "This film", "The whole story", "Her performance"),
        ("is moving and well told", "never finds its rhythm", "lingers long after the end", "feels like a long advert"),
        ("thanks to a sharp script", "despite a large budget", "and the cast knows it", "though the middle drags"),
    ),
    "zh": (
        ("送餐很快", "味道一般", "包装很好", "等了两个小时", "份量足", "这家店", "骑手态度好"),
        ("菜还是热的", "汤洒了一半", "下次还会再点", "不会再来了", "和图片差太多", "性价比很高"),
        ("给个好评。", "希望能改进。", "有点失望！", "推荐给大家。", "客服也没有回复……"),
    ),
}


def texts(language: str, number: int, rng: np.random.Generator) -> list[str]:
    parts = PHRASES[language]
    joint = " " if language == "en" else "，"
    return [joint.join(str(rng.choice(part)) for part in parts) for _ in range(number)]

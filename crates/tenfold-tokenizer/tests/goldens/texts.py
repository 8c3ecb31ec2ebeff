"""Texts that are hard to tokenize, made by chance but the same for the same seed."""

import random
import unicodedata

WORDS = (
    "the quick brown fox jumps over lazy dog Hello World don't can't it's we're they'll I'd I'm you've "
    "naïve café résumé Größe straße Zürich señor garçon Ångström IJsselmeer ĲsSel ﬁne ﬂow ŒUVRE İstanbul ılık "
    "Привет мир Ещё раз ёлка Здравствуйте Україна ћирилица Γειά σου Κόσμε Σίσυφος ΣΊΣΥΦΟΣ "
    "שלום עולם שָׁלוֹם مرحبا بالعالم السَّلَامُ عَلَيْكُمْ سلام دنیا اردو नमस्ते दुनिया क्षत्रिय বাংলা ভাষা தமிழ் తెలుగు ಕನ್ನಡ "
    "മലയാളം සිංහල ไทยสวัสดีชาวโลก ລາວ မြန်မာ ខ្មែរ བོད་ཡིག გამარჯობა Հայերեն አማርኛ ᏣᎳᎩ ᠮᠣᠩᠭᠣᠯ "
    "你好世界 中文分词 漢字 日本語 こんにちは カタカナ ｶﾀｶﾅ 한국어 안녕하세요 ㅋㅋㅋ 𠀀𠮷野家 ﷺ ㍿ ㎏ ½ ⅓ Ⅷ ① "
    "ＦＵＬＬ ｗｉｄｔｈ １２３ 𝐁𝐨𝐥𝐝 𝓢𝓬𝓻𝓲𝓹𝓽 𝟘𝟙𝟚 Ⓐ Ⓑ x² H₂O π≈3.14159 ∑∫√∞ →←↔ €100 £5 ¥ ₹ ₿ "
    "1234567890 12 123 1234 12345 123456 1,000,000 3.14 0x1F 1e-10 ٠١٢٣ ۴۵۶ ०१२ ๑๒๓ ๔๕ ໑໒ ၁၂ ᠑᠒ 〇一二 "
    "HelloWorld camelCaseString snake_case_name SCREAMING_CASE kebab-case HTTPServer iPhone XMLHttpRequest eBay "
    "supercalifragilisticexpialidocious antidisestablishmentarianism unaffable embeddings tokenization"
).split(" ")

SENTENCES = [
    "The capital of France is Paris.  It has 2,161,000 inhabitants!",
    "Once upon a time, there was a little girl named Lily. She didn't like rain.",
    "Give me three tips for sleeping better.",
    "Ich weiß nicht, was soll es bedeuten, daß ich so traurig bin.",
    "L'été dernier, j'ai passé mes vacances à l'étranger ; c'était génial !",
    "¿Cómo estás? ¡Muy bien, gracias! El niño comió 3 piñas.",
    "В чащах юга жил бы цитрус? Да, но фальшивый экземпляр!",
    "私は昨日、東京で「寿司」を食べました。とても美味しかったです！",
    "我昨天在北京吃了烤鸭,很好吃。价格是一百二十元。",
    "나는 어제 서울에서 비빔밥을 먹었습니다. 정말 맛있었어요!",
    "هذا نص باللغة العربية، وفيه أرقام: ١٢٣ و 456.",
    "यह हिन्दी में एक वाक्य है। इसमें १२३ अंक हैं।",
    "ฉันรักประเทศไทย และชอบกินผัดไทยมาก ๑๒๓",
    "Đây là một câu tiếng Việt có nhiều dấu thanh.",
    "Zażółć gęślą jaźń. Příliš žluťoučký kůň úpěl ďábelské ódy.",
]

CODE = [
    "def f(x, y=10):\n    return x**2 + y  # comment\n",
    "for (int i = 0; i < n; ++i) {\n\t\tsum += a[i] * b[i];\n\t}\n",
    "fn main() -> Result<(), Box<dyn Error>> {\n    println!(\"{:?}\", &x[1..=3]);\n}\n",
    "<html>\n  <body class=\"a b\">&nbsp;</body>\n</html>",
    '{"key": [1, 2.5, null, true], "nested": {"a": "\\u00e9"}}',
    "SELECT * FROM t WHERE a='x' AND b<>3;--",
    "https://example.com/path?q=a%20b&c=d#frag user@host.org /usr/local/bin ~/x.tar.gz C:\\dir\\file",
    "a=b;c+=d&&e||!f?g:h->i::j@k#l$m%n^o*p(q)[r]{s}<t>|u~v`w`\"x\"'y'",
    "if x == 1:\r\n\tprint('it''s')\r\n\r\n\r\n",
    "```python\nx = 1\n```\n\n## Title\n\n* item\n  * sub\n\n---\n| a | b |\n",
    "\\begin{equation} E=mc^2 \\end{equation}",
    "9.11 > 9.9; 100000000000000000000; 007; 1_000; 12:34:56; 2024-01-31T00:00:00Z",
]

EMOJI = (
    "😀 👍 👍🏽 👨‍👩‍👧‍👦 👩🏾‍💻 🏳️‍🌈 🇩🇪 🇫🇷🇯🇵 ❤️ ❤ ☺ ☺️ 1️⃣ #️⃣ 🧑🏻‍🤝‍🧑🏿 🫠 🪿 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ✈︎ ©️ ™ 🦜🦚 🫱🏼‍🫲🏿".split(" ")
)

SPACES = [
    " ", "  ", "   ", "    ", "        ", "\n", "\n\n", "\n\n\n", "\r", "\r\n", "\r\n\r\n", "\t", "\t\t", "\v", "\f",
    "\x85", "\xa0", "\xa0\xa0", "\u1680", "\u2000", "\u2003\u2003", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f",
    "\u205f", "\u3000", "\u3000\u3000", " \n", "\n ", " \n \n ", "\t \t", "  \n\n  ", " \r\n ", "\u200b", "\u2060",
    "\ufeff", "\u180e", "\x1c", "\x1f",
]

APOSTROPHES = ["'", "’", "ʼ", "＇", "‘", "`", "´", "\u2032", "\"'", "''"]
ENDINGS = ["s", "S", "t", "T", "re", "RE", "rE", "Re", "ve", "VE", "m", "M", "ll", "LL", "lL", "d", "D", "ſ", "ſt", "l", "r",
           "v", "sa", "nin", "tu", "K", "re1", "ll ", "İ", "ı"]

BAD_BYTES = [
    b"\x80", b"\xbf", b"\xc0", b"\xc1\x81", b"\xc3", b"\xc3(", b"\xe2\x82", b"\xe2\x82(", b"\xe2(\xa1", b"\xf0\x9f\x98",
    b"\xf0\x9f", b"\xf0", b"\xf0\x28\x8c\xbc", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xff",
    b"\xfe", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80", b"\xc0\x80", b"\xe0\x80\x80", b"\xe0\x9f\xbf",
    b"\xf0\x80\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xe2\x96", b"\xe2\x81", b"\xc4\xa0\xff", b"\xef\xbf\xbd\xff", b"\x00",
]

# First and last code points of scripts and of places where rules change.
RANGES = [
    (0x00, 0x1F), (0x20, 0x7E), (0x7F, 0xA0), (0xA1, 0xFF), (0x100, 0x24F), (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF),
    (0x400, 0x52F), (0x530, 0x58F), (0x590, 0x5FF), (0x600, 0x6FF), (0x700, 0x7FF), (0x800, 0x8FF), (0x900, 0x97F),
    (0x980, 0xDFF), (0xE00, 0xEFF), (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x139F),
    (0x13A0, 0x13FF), (0x1780, 0x17FF), (0x1C80, 0x1CBF), (0x1D00, 0x1DFF), (0x1E00, 0x1FFF), (0x2000, 0x206F),
    (0x2070, 0x209F), (0x20A0, 0x20FF), (0x2100, 0x218F), (0x2190, 0x23FF), (0x2460, 0x24FF), (0x2500, 0x25FF),
    (0x2580, 0x259F), (0x2600, 0x27BF), (0x2C00, 0x2DFF), (0x2E00, 0x2E7F), (0x2F00, 0x2FDF), (0x3000, 0x303F),
    (0x3040, 0x30FF), (0x3100, 0x318F), (0x3200, 0x33FF), (0x3400, 0x3440), (0x4DB0, 0x4E10), (0x4E00, 0x9FFF),
    (0x9FA0, 0xA000), (0xA000, 0xA4CF), (0xA640, 0xA69F), (0xA720, 0xA7FF), (0xA960, 0xA97F), (0xAA60, 0xAA7F),
    (0xA9E0, 0xA9FF), (0xAB30, 0xABBF), (0xAC00, 0xD7AF), (0xD7A0, 0xD7FF), (0xE000, 0xE010), (0xF8F0, 0xFA20),
    (0xFB00, 0xFB4F), (0xFB50, 0xFDFF), (0xFE00, 0xFE0F), (0xFE10, 0xFE4F), (0xFE70, 0xFEFF), (0xFF00, 0xFFEF),
    (0xFFF0, 0xFFFF), (0x10000, 0x100FF), (0x10330, 0x1034F), (0x10400, 0x1044F), (0x10A00, 0x10A5F), (0x11000, 0x1107F),
    (0x12000, 0x1203F), (0x16A40, 0x16A7F), (0x1B000, 0x1B0FF), (0x1D400, 0x1D7FF), (0x1E900, 0x1E95F), (0x1EE00, 0x1EEFF),
    (0x1F100, 0x1F1FF), (0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x1F900, 0x1F9FF), (0x1FA70, 0x1FAFF), (0x20000, 0x20040),
    (0x2A6D0, 0x2A710), (0x2B730, 0x2B750), (0x2B810, 0x2B930), (0x2CEA0, 0x2CEC0), (0x2EBE0, 0x2EC10), (0x2F800, 0x2FA20),
    (0x30000, 0x30040), (0xE0000, 0xE007F), (0xE0100, 0xE01EF), (0xF0000, 0xF0010), (0x10FFF0, 0x10FFFF), (0x870, 0x88E),
    (0x1C89, 0x1C8A), (0xA7CB, 0xA7DC), (0x1CC00, 0x1CCF9),
]


def is_text(point):
    return not 0xD800 <= point <= 0xDFFF


CATEGORIES = {}
for _point in range(0x110000):
    if is_text(_point):
        CATEGORIES.setdefault(unicodedata.category(chr(_point)), []).append(_point)


class Texts:
    """An endless supply of texts; some are not UTF-8 unless `valid`."""

    def __init__(self, seed, specials=(), pieces=(), valid=False):
        self.random = random.Random(seed)
        self.specials = [special for special in specials if special] or ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]
        self.pieces = list(pieces) or WORDS
        self.valid = valid
        makers = [
            (self.words, 8), (self.sentence, 4), (self.code, 4), (self.emoji, 3), (self.spaces, 6), (self.contraction, 4),
            (self.category, 6), (self.script, 8), (self.any_point, 2), (self.special, 4), (self.near_special, 4), (self.run, 3),
            (self.digits, 4), (self.control, 2), (self.ascii, 4), (self.piece, 6), (self.marks, 2), (self.mixed_letters, 3),
        ]
        if not valid:
            makers += [(self.bad, 3), (self.noise, 1), (self.cut, 2)]
        self.makers = [maker for maker, _ in makers]
        self.weights = [weight for _, weight in makers]

    def __iter__(self):
        while True:
            yield self.next()

    def next(self):
        count = self.random.choice([1, 1, 2, 2, 3, 4, 5, 6, 8])
        parts = [make() for make in self.random.choices(self.makers, self.weights, k=count)]
        glue = self.random.choice([b"", b"", b" ", b" ", b"\n"])
        return glue.join(part if isinstance(part, bytes) else part.encode("utf-8") for part in parts)

    def words(self):
        return " ".join(self.random.choices(WORDS, k=self.random.randint(1, 6)))

    def sentence(self):
        text = self.random.choice(SENTENCES)
        start = self.random.randrange(len(text))
        return text[start:] if self.random.random() < 0.3 else text

    def code(self):
        text = self.random.choice(CODE)
        start = self.random.randrange(len(text))
        return text[start : start + self.random.randint(1, 40)]

    def emoji(self):
        return "".join(self.random.choices(EMOJI, k=self.random.randint(1, 3)))

    def spaces(self):
        spaces = "".join(self.random.choices(SPACES, k=self.random.randint(1, 4)))
        return self.random.choice(["", "a", ".", "1", "中", "\u0301"]) + spaces + self.random.choice(["", "b", "!", "2", "é"])

    def contraction(self):
        word = self.random.choice(["I", "he", "don", "WE", "it", "", " ", "1", "日", "ß", "!", "\n"])
        return word + self.random.choice(APOSTROPHES) + self.random.choice(ENDINGS)

    def category(self):
        points = CATEGORIES[self.random.choice(list(CATEGORIES))]
        return "".join(chr(self.random.choice(points)) for _ in range(self.random.randint(1, 8)))

    def script(self):
        first, last = self.random.choice(RANGES)
        points = [self.random.randint(first, last) for _ in range(self.random.randint(1, 12))]
        glue = self.random.choice(["", "", "", " ", "1"])
        return glue.join(chr(point) for point in points if is_text(point))

    def any_point(self):
        points = [self.random.randrange(0x110000) for _ in range(self.random.randint(1, 6))]
        return "".join(chr(point) for point in points if is_text(point))

    def special(self):
        return "".join(
            self.random.choice(self.specials) + self.random.choice(["", "", " ", "\n", "a", "  b"])
            for _ in range(self.random.randint(1, 3))
        )

    def near_special(self):
        text = self.random.choice(self.specials)
        at = self.random.randrange(len(text) + 1)
        kind = self.random.randrange(5)
        if kind == 0:
            return text[:at]
        if kind == 1:
            return text[at:]
        if kind == 2:
            return text[:at] + self.random.choice([" ", "x", "|", "<", "\n", "_"]) + text[at:]
        if kind == 3:
            return text[:at] + text
        return text.swapcase()

    def run(self):
        unit = self.random.choice([" ", "\n", "\t", "a", "A", "-", "=", "0", "1", "中", "😀", "\u0301", "ab", ". ", "\r\n", " a", "'",
                                   "_", "▁", "\xa0", "\u3000", "ก", "한", "1,", "é", "\x00"])
        return unit * self.random.choice([2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 130])

    def digits(self):
        zero = self.random.choice([0x30, 0x30, 0x30, 0x660, 0x6F0, 0x966, 0xE50, 0xED0, 0xFF10, 0x1D7CE, 0x1E950])
        digits = "".join(chr(zero + self.random.randrange(10)) for _ in range(self.random.randint(1, 14)))
        return self.random.choice(["", " ", "$", "a", "-", ".", "½", "²"]) + digits + self.random.choice(["", "%", "a", ".", ",5"])

    def control(self):
        points = [self.random.choice(range(0x20)) for _ in range(self.random.randint(1, 5))]
        points += [self.random.choice([0x7F, 0x80, 0x9F, 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x202E, 0xFEFF, 0xFFF9, 0xFFFD])]
        self.random.shuffle(points)
        return "".join(map(chr, points))

    def ascii(self):
        return "".join(chr(self.random.randint(0x20, 0x7E)) for _ in range(self.random.randint(1, 24)))

    def piece(self):
        return "".join(self.random.choices(self.pieces, k=self.random.randint(1, 6)))

    def marks(self):
        marks = CATEGORIES["Mn"] + CATEGORIES["Mc"] + CATEGORIES["Me"]
        letters = "aeiouAñकกא한1 .\n"
        return "".join(
            self.random.choice(letters) + "".join(chr(self.random.choice(marks)) for _ in range(self.random.randint(0, 3)))
            for _ in range(self.random.randint(1, 5))
        )

    def mixed_letters(self):
        return "".join(self.random.choices("aB1 _'’.ÉжЖ中あ한ก\u0301\u200d١½²ªʰǅ", k=self.random.randint(2, 14)))

    def bad(self):
        return b"".join(self.random.choices(BAD_BYTES, k=self.random.randint(1, 3)))

    def noise(self):
        return bytes(self.random.randrange(256) for _ in range(self.random.randint(1, 12)))

    def cut(self):
        text = self.random.choice([self.words, self.emoji, self.script])().encode("utf-8")
        start = self.random.randrange(len(text) + 1)
        return text[start : start + self.random.randint(0, 20)]

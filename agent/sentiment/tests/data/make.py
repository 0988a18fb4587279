"""Writes the data of this crate with the reference implementation, always the same.

    python3 -m venv venv && venv/bin/pip install vaderSentiment==3.3.2
    venv/bin/python agent/sentiment/tests/data/make.py

- data/lexicon.tsv and data/emoji.tsv: what the analysis needs of the reference's lexicons.
- tests/data/examples.tsv: the sentences of the reference's own demonstration.
- tests/data/scores.tsv: texts made from the vocabulary of the algorithm, so that all of its rules meet each other.

A line of the last two is neg, neu, pos, compound and the text, with tabs between. In texts a backslash is `\\\\`, and a
control character or an unusual space `\\u{hex}`.

With arguments `SEED COUNT FILE` only that many other texts are made: for comparing at length.
"""

import ast
import inspect
import random
import sys
from pathlib import Path

from vaderSentiment import vaderSentiment as vader

CRATE = Path(__file__).resolve().parents[2]
COUNT = 2600
SEED = 20141

ANALYZER = vader.SentimentIntensityAnalyzer()
LEXICON = {
    token: valence
    for token, valence in sorted(ANALYZER.lexicon.items())
    if token.isascii() and token == token.lower() and token.split() == [token]
}
EMOJI = {char: text for char, text in sorted(ANALYZER.emojis.items()) if len(char) == 1}

MODIFIERS = sorted(vader.BOOSTER_DICT) + sorted(vader.NEGATE)
GLUE = """
but BUT But no No NO nor or least Least at very so this never without doubt kind of sort just enough the shit bomb bad ass
badass bus stop yeah right kiss death to die for beating heart at least very least without a doubt never so never this
a doubt no or nor but, "but" kind of, don't DON'T isn't ISN'T isn’t ain't wouldn't've n't xn'ty no. no! can't cannot
""".split()
PHRASES = sorted(vader.SPECIAL_CASES) + sorted(vader.SENTIMENT_LADEN_IDIOMS) + [
    "never so", "never this", "without a doubt", "without doubt", "no doubt", "at least", "very least", "the least",
    "kind of", "sort of", "just enough", "not so", "only kind of", "no good or", "no harm nor", "but not",
]
NEUTRAL = """
the a it was book movie server request is with and 200 500 503 timeout GET POST /api/v1/users HTTP/1.1 {"error": null,
[1,2,3] x X I U.S. user@host.test 3.14 -- ... &amp; response returned connection Connection ID OK
""".split()
UNICODE = """
naïve NAÏVE École ÉCOLE ÑANDÚ straße STRASSE ẞ ΣΊΣΥΦΟΣ Σίσυφος Привет ПРИВЕТ 日本語 日本語です العربية İstanbul ISTANBUL'ı ıI
K \u212aind \u212aILL li\u212aE ǅ ǅABC ᾈ Ⅷ ⅷ ⓐ Ⓐ ª º ĿÅ 𝐆𝐎𝐎𝐃 𝓫𝓪𝓭 ｇｏｏｄ ＧＯＯＤ good\u200b bad\u0301 \ufeffgreat don\u2019t
“good” «bad» …great… ¡good! ¿bad? good— —bad ﬁne ŉt
""".split()
SPACES = [" "] * 30 + ["  ", "\t", "\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0"] + [
    "\u1680", "\u2000", "\u2003", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u180e", "\u200b", "\x00"]
ENDS = [""] * 6 + [".", "!", "!!", "!!!", "!!!!", "!!!!!!", "?", "??", "???", "????", "?!", "!?!?", "...", ":)", " :(", " :-D", "‼", "⁉"]
MARKS = [",", ".", ";", ":", "!", "?", '"', "'", "(", ")", "*", "_", "~", "--", "…", "”", "\\", "#"]

CURATED = [
    "", " ", "\t\n", "\x1c", "\u3000", "\u200b", "!", "?", "!!!", "???", ".", "a", ":)", ":(", "no", "NO", "No!", "but", "BUT",
    "least", "least good", "very least good", "at least good", "The least good", "kind", "kind of", "kind of good", "Kind OF good",
    "good", "GOOD", "GOOD GOOD", "GOOD good", "good " * 15 + "x", "x " * 15 + "good", "x " * 7 + "bad", "x " * 3 + "bad",
    "but good", "good but", "good but good", "good good but good good", "great awful but great awful but great",
    "good bad good bad but good bad good bad", "bad " * 40 + "but " + "good " * 40, "no good", "no no good", "no bad or good",
    "no x nor good", "no x y good", "not not good", "I can't stand it", "fed up", "he screwed up badly", "( '}{' )", "^urs",
    "O.o", "o.o", ":D", ":d", ":p", ":Þ", "(:O", "x:)", ":):)", ":) :)", "this is the shit", "yeah right", "oh yeah right good",
    "it is to die for indeed", "a true kiss of death x", "what a beating heart has", "in the bus stop was love",
    "💘", "💘💘", "💘 💘", "💘good", "good💘", "good💘bad", "😁!", "!😁", "❤", "❤️", "☺️", "👍🏽", "👨‍👩‍👧", "🇺🇸", "©", "®good", "™", "💔but💔",
    "GOOD 💘", "a 💘\t💘", "a\t💘", "💋\x1c💋", "🈁 💯", "🆗 OK", "🔞 no", "GOOD AǅABC", "GOOD ǅA VERY", "🔛 good", "good 🆙🆙", "⁉ good", "‼ good", "💩" * 30, "😭" * 50 + "!",
    "the server said ERROR: connection refused", "{\"error\":\"bad request\"}", "HTTP/1.1 503 Service Unavailable",
    "Yes, the HTTP request failed: the status is 500 and the body says that an internal error occurred.",
    "No, the HTTP request did not fail. It was answered with 200 OK.",
    "Yes. The response reports a failure, but a retry would probably succeed!",
]


def examples():
    """The lists of sentences in the reference's demonstration, in order, and the paragraph it splits."""
    texts = []
    for node in ast.walk(ast.parse(inspect.getsource(vader)).body[-1]):
        if isinstance(node, ast.Assign) and node.targets[0].id in ("sentences", "tricky_sentences", "conceptList"):
            texts += [element.value for element in node.value.elts]
        if isinstance(node, ast.Assign) and node.targets[0].id == "paragraph":
            texts += [node.value.value, *node.value.value.replace("!! ", "!!\n").replace(". ", ".\n").split("\n")]
        if isinstance(node, ast.Assign) and node.targets[0].id == "nonEnglish_sentences":
            texts += [element.value for element in node.value.elts]
    return texts


def made(seed, count):
    """Random texts. Only `random()` is used: its sequence is the same in all versions of Python."""
    source = random.Random(seed)
    tokens, emojis = list(LEXICON), list(EMOJI)

    def below(limit):
        return int(source.random() * limit)

    def pick(choices):
        return choices[below(len(choices))]

    def word():
        kind = below(100)
        if kind < 36:
            return pick(tokens)
        if kind < 52:
            return pick(MODIFIERS)
        if kind < 70:
            return pick(GLUE)
        if kind < 76:
            return pick(PHRASES)
        if kind < 90:
            return pick(NEUTRAL)
        if kind < 94:
            return pick(UNICODE)
        return pick(emojis)

    def dressed(text):
        style = below(20)
        if style < 3:
            text = text.upper()
        elif style == 3:
            text = text.capitalize()
        style = below(20)
        if style < 2:
            text += pick(MARKS)
        elif style == 2:
            text = pick(MARKS) + text + pick(MARKS)
        return text

    texts = []
    for _ in range(count):
        shouted = below(12) == 0
        length = 1 + below(14) if below(40) else 30 + below(60)
        # A small vocabulary makes equal values in one text, which the rule of "but" treats in its own way.
        few = [dressed(word()) for _ in range(1 + below(5))] if below(5) == 0 else None
        text = ""
        for at in range(length):
            if at and below(25):
                text += pick(SPACES)
            text += pick(few) if few else dressed(word())
        texts.append((text.upper() if shouted else text) + pick(ENDS))
    return texts


def escaped(text):
    plain = lambda char: char == " " or char.isprintable() and not char.isspace()
    return "".join("\\\\" if char == "\\" else char if plain(char) else f"\\u{{{ord(char):x}}}" for char in text)


def write(path, lines):
    Path(path).write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="\n")


def scored(texts):
    for text in texts:
        score = ANALYZER.polarity_scores(text)
        yield "\t".join([repr(score[name]) for name in ("neg", "neu", "pos", "compound")] + [escaped(text)])


def main():
    if len(sys.argv) == 4:
        write(sys.argv[3], scored(made(int(sys.argv[1]), int(sys.argv[2]))))
        return
    assert all(round(valence, 1) == valence for valence in LEXICON.values()), "the port keeps tenths"
    write(CRATE / "data/lexicon.tsv", (f"{token}\t{valence}" for token, valence in LEXICON.items()))
    write(CRATE / "data/emoji.tsv", (f"{char}\t{text}" for char, text in EMOJI.items()))
    write(CRATE / "tests/data/examples.tsv", scored(examples()))
    write(CRATE / "tests/data/scores.tsv", scored(CURATED + made(SEED, COUNT)))


main()

"""Cuts a text into pieces of the vocabulary, as the engine of the built-in model does: the cut of
greatest score (unigram model of SentencePiece)."""

from __future__ import annotations

import re

from services.embedding.weights import Vocabulary

SPACE = "\u2581"
"""What stands for a space."""
_UNKNOWN_PENALTY = 10.0
# Chinese, Latin letters, digits and punctuation. Other scripts are read as unknown characters:
# their pieces would take 40 MB.
_READ = re.compile(r"[\u2581!-~\u00b7\u2000-\u206f\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+")


class Cutter:
    """Text → ids of pieces."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._normal = vocabulary.normal
        self._begin, self._end = vocabulary.begin, vocabulary.end
        self._unknown = vocabulary.unknown
        self._unknown_score = min(vocabulary.scores) - _UNKNOWN_PENALTY
        self._known = {
            piece: (number, score)
            for number, (piece, score) in enumerate(
                zip(vocabulary.pieces, vocabulary.scores, strict=True)
            )
            if number != vocabulary.unknown and _READ.fullmatch(piece)
        }
        self._longest = max(map(len, self._known))

    def cut(self, text: str, most: int) -> list[int]:
        """The ids, with those of begin and end; at most `most` pieces between them."""
        plain = SPACE + re.sub(" +", " ", self._read(text)).removeprefix(" ").replace(" ", SPACE)
        scores = [0.0]
        steps: list[tuple[int, int]] = [(0, 0)]
        for end in range(1, len(plain) + 1):
            best = (scores[end - 1] + self._unknown_score, self._unknown, end - 1)
            for start in range(max(0, end - self._longest), end):
                found = self._known.get(plain[start:end])
                if found is not None and scores[start] + found[1] > best[0]:
                    best = (scores[start] + found[1], found[0], start)
            scores.append(best[0])
            steps.append(best[1:])
        ids: list[int] = []
        end = len(plain)
        while end:
            number, end = steps[end]
            ids.append(number)
        return [self._begin, *ids[::-1][:most], self._end]

    def _read(self, text: str) -> str:
        return "".join(self._normal.get(character, character) for character in text)

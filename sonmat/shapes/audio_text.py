"""Rows of a sound file's path and what is said in it."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import file_of, text_of
from sonmat.reading.columns import choose_audio, choose_text, profiles

_NAMES = ("transcript", "transcription", "sentence", "text", "normalized_text", "전사", "전사문", "대본", "발화", "문장")


class AudioText:
    name = "audio_text"
    title = Text(en="a sound and its transcript", ko="소리와 전사문")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        columns = profiles(table)
        audio = choose_audio(columns.values(), wanted.input)
        if audio is None:
            return None
        named = next((name for known in _NAMES for name in columns if name.casefold() == known), None)
        if named is not None and not columns[named].can_be_text:
            named = None
        text = choose_text(columns.values(), wanted.target or named, excluded=(audio.column,))
        if text is None:
            return None
        profile = columns[text.column]
        reason = Text(
            en=f"'{text.column}' holds what is said in about {round(profile.median_length)} characters",
            ko=f"'{text.column}' 열에 {round(profile.median_length)}자 안팎의 전사문이 있습니다",
        )
        return Guess(
            sure=0.4 if profile.repeats else 0.96,
            columns=Columns(input=audio.column, target=text.column),
            reason=Text(en=f"{audio.reason.en}; {reason.en}", ko=f"{audio.reason.ko}. {reason.ko}"),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        audio, text = file_of(fields, columns.input), text_of(fields, columns.target)
        if isinstance(audio, Text):
            return audio
        return text if isinstance(text, Text) else Pair(input={"audio": audio}, target={"text": text})

    def write(self, pair: Pair, columns: Columns) -> Json:
        return {columns.input or "audio": pair.input["audio"], columns.target or "transcript": pair.target["text"]}


plugin = AudioText()

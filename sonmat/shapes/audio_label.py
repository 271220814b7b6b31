"""Rows of a sound file's path and its label: from a folder a class, or from a table with a column of paths."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import file_of, label_of
from sonmat.reading.columns import choose_audio, choose_label, profiles


class AudioLabel:
    name = "audio_label"
    title = Text(en="a sound and its label", ko="소리와 라벨")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        columns = profiles(table)
        audio = choose_audio(columns.values(), wanted.input)
        if audio is None:
            return None
        label = choose_label(columns.values(), wanted.target, excluded=(audio.column,))
        if label is None:
            return None
        return Guess(
            # Labels of which hardly two are equal are what is said.
            sure=0.97 if columns[label.column].repeats else 0.5,
            columns=Columns(input=audio.column, target=label.column),
            reason=Text(en=f"{audio.reason.en}; {label.reason.en}", ko=f"{audio.reason.ko}. {label.reason.ko}"),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        audio = file_of(fields, columns.input)
        label = label_of(fields, columns.target)
        if isinstance(audio, Text):
            return audio
        return label if isinstance(label, Text) else Pair(input={"audio": audio}, target={"label": label})

    def write(self, pair: Pair, columns: Columns) -> Json:
        return {columns.input or "audio": pair.input["audio"], columns.target or "label": pair.target["label"]}


plugin = AudioLabel()

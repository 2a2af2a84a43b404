"""Small text files from elsewhere: plans, legends, descriptions of runs and sensors.

They are read whole, so one that is far too long is refused before it is.
"""

from __future__ import annotations

from pathlib import Path

MOST_BYTES = 16 << 20
"""No text that overcast writes, or asks for, comes near this size."""


def read_text(path: Path, encoding: str = "utf-8", most: int = MOST_BYTES) -> str:
    """Return the text of a file.

    Raises
    ------
    ValueError
        If the file has more than `most` bytes, or is a pipe that lies in a folder.
    UnicodeDecodeError
        If it is not in this encoding.
    OSError
        If there is no such file, or it can't be read.
    """
    if path.is_fifo() and not path.is_relative_to("/dev"):
        raise ValueError(f"{path}: a pipe; expected a file")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(
            f"{path}: more than {most >> 20} MB; expected a short text, so this is "
            "another file"
        )
    # As text files are read: one kind of line ends.
    return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")

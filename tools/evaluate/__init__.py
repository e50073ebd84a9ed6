"""`banxi eval …`: measure the system's own decisions on labelled data. None of these needs a bus,
except `eval calls`, which starts a private one.

Every command reads its own format, says what the system decides, line by line and without looking
at the labels (`--predictions`), and compares that with the labels where a line has them. What the
commands share, reading, writing and printing, is in `report`.
"""

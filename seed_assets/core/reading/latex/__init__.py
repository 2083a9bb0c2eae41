"""Reading LaTeX: what each module of this package is for.

document.py     the way from bytes to text and title, and warnings
reader.py       the walk through commands and text
literals.py     commands whose arguments are not LaTeX, such as addresses
others.py       all other commands
formulas.py     formulas
walk.py         what environments ask of the walk
environments.py what stands between \\begin and \\end
defining.py     commands that define something
definitions.py  macros that the document defines
source.py       the characters of a file as tokens and arguments
writer.py       paragraphs, blocks, lists and tables
commands.py     what is known about commands: arguments, signs, accents
"""

"""Reading HTML pages: what each module of this package is for.

fragments.py    pieces of HTML in other formats, read as a whole
pages.py        the way from bytes to (text, title, encoding), and pages without text
parsing.py      encoding and the tree
facts.py        how much text, links, tables and so on each element holds
regions.py      which elements are not shown, or stand at the margin of a page
page_blocks.py  the page as a list of blocks in order
collecting.py   how the text of that walk becomes blocks
block.py        what a block is, and how blocks are written
inline.py       the text inside a block: white space, marks of notes, pictures, signs that only link
formulas.py     formulas, each of them once
form_fields.py  what is filled in on forms
drawn_text.py   the text of drawings
frames.py       pages in frames
code.py         preformatted text and its line numbers
page_tables.py  tables of data, of layout and of code
page_data.py    an article that is only among the data of the page
main_text.py    which blocks are the text of the page, and the text that they make
"""

"""Archives of files: what each module of this package is for.

packing.py        single files that are packed
archive.py        what an archive is
archive_paths.py  what the paths in archives mean
zip_archive.py    ZIP archives
tar_archive.py    tar archives
opening.py        an archive of any kind
"""

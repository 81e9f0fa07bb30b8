"""Numbered changes of users' files, each for what a merge of lines cannot do.

To add one: `mNNNN_what.py` with `migrate(root, package)`, which changes the files of a project
below `root` in place, leaves a project alone that has nothing for it, and may use the standard
library alone, as it runs with the packages of the old version. It runs on the user's files and on
the old bare bake alike, before the merge. Never change or remove one that was released.
"""

"""Bring a newer version of the template into a project, by a merge of git's.

What the template would have written then (the base) and what it writes now (theirs) are baked with
the project's answers; what the user has made of it is HEAD (ours). git merges the three in the
user's tree and leaves an ordinary merge in progress: `git commit` keeps it, `git merge --abort`
takes it back.
"""
